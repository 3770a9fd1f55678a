package config

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Codecs of parameters with a structure of their own.

// bindCodec: []string, addresses; a leading '-' means that it is fine if the address does not exist on this machine.
type bindCodec struct{}

// maxBindAddrs is the number of addresses that Redis takes; tools print its error text.
const maxBindAddrs = 16

func (bindCodec) parse(words []string, _ any) (any, error) {
	if len(words) > maxBindAddrs {
		return nil, errors.New("Too many bind addresses specified.")
	}
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" }), nil
}

func (bindCodec) format(v any) string { return strings.Join(v.([]string), " ") }

func (c bindCodec) lines(v any) []string {
	if len(v.([]string)) == 0 {
		return []string{`""`}
	}
	return []string{c.format(v)}
}

// SavePoint asks for a snapshot after Seconds if there were at least Changes changes.
type SavePoint struct{ Seconds, Changes int64 }

// saveCodec: []SavePoint. A file may repeat the directive; Parse passes the points read before as cur, CONFIG SET nil.
type saveCodec struct{}

func (saveCodec) parse(words []string, cur any) (any, error) {
	errSave := errors.New("Invalid save parameters")
	if len(words) == 1 && words[0] == "" {
		return []SavePoint(nil), nil
	}
	if len(words)%2 != 0 {
		return nil, errSave
	}
	before, _ := cur.([]SavePoint)
	points := slices.Clone(before) // `save` alone adds nothing
	for i := 0; i < len(words); i += 2 {
		seconds, err1 := strconv.ParseInt(words[i], 10, 64)
		changes, err2 := strconv.ParseInt(words[i+1], 10, 32)
		if err1 != nil || err2 != nil || seconds < 1 || changes < 0 {
			return nil, errSave
		}
		points = append(points, SavePoint{seconds, changes})
	}
	return points, nil
}

func (c saveCodec) format(v any) string { return strings.Join(c.points(v), " ") }

func (c saveCodec) lines(v any) []string {
	if points := c.points(v); len(points) > 0 {
		return points
	}
	return []string{`""`}
}

func (saveCodec) points(v any) (out []string) {
	for _, p := range v.([]SavePoint) {
		out = append(out, fmt.Sprintf("%d %d", p.Seconds, p.Changes))
	}
	return out
}

// OutputLimit bounds the replies that wait for a client of one class: it is cut off at once over HardBytes, or when it
// stays over SoftBytes for SoftSec. Zero means no limit.
type OutputLimit struct {
	HardBytes, SoftBytes int64
	SoftSec              int
}

// Classes of OutputLimits.
const (
	OutputNormal = iota
	OutputReplica
	OutputPubsub
	outputClasses
)

// outputCodec: [outputClasses]OutputLimit. Classes that are not named keep their limits.
type outputCodec struct{}

func (outputCodec) parse(words []string, cur any) (any, error) {
	if len(words)%4 != 0 {
		return nil, errors.New("Wrong number of arguments in buffer limit configuration.")
	}
	limits, _ := cur.([outputClasses]OutputLimit)
	for ; len(words) > 0; words = words[4:] {
		class, ok := map[string]int{"normal": OutputNormal, "replica": OutputReplica, "slave": OutputReplica, "pubsub": OutputPubsub}[strings.ToLower(words[0])]
		if !ok {
			return nil, errors.New("Invalid client class specified in buffer limit configuration.")
		}
		hard, ok1 := parseMemory(words[1])
		soft, ok2 := parseMemory(words[2])
		sec, err := strconv.ParseInt(words[3], 10, 32)
		if !ok1 || !ok2 || err != nil || sec < 0 || max(hard, soft) > math.MaxInt64 {
			return nil, errors.New("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		limits[class] = OutputLimit{int64(hard), int64(soft), int(sec)}
	}
	return limits, nil
}

// CONFIG GET still says "slave" in every release of Redis, CONFIG REWRITE says "replica".
func (outputCodec) format(v any) string {
	var out []string
	for class, l := range v.([outputClasses]OutputLimit) {
		out = append(out, fmt.Sprintf("%s %d %d %d", [...]string{"normal", "slave", "pubsub"}[class], l.HardBytes, l.SoftBytes, l.SoftSec))
	}
	return strings.Join(out, " ")
}

func (outputCodec) lines(v any) (out []string) {
	for class, l := range v.([outputClasses]OutputLimit) {
		out = append(out, fmt.Sprintf("%s %s %s %d", [...]string{"normal", "replica", "pubsub"}[class],
			formatMemory(uint64(l.HardBytes)), formatMemory(uint64(l.SoftBytes)), l.SoftSec))
	}
	return out
}

// NotifyFlags says which keyspace events are published, and on which of the two kinds of channels.
type NotifyFlags uint32

const (
	NotifyGeneric  NotifyFlags     = 1 << iota // g
	NotifyString                               // $
	NotifyList                                 // l
	NotifySet                                  // s
	NotifyHash                                 // h
	NotifyZset                                 // z
	NotifyExpired                              // x
	NotifyEvicted                              // e
	NotifyStream                               // t
	NotifyModule                               // d
	NotifyNew                                  // n, not part of A
	NotifyKeyspace                             // K
	NotifyKeyevent                             // E
	NotifyKeyMiss                              // m, not part of A
	NotifyAll      = NotifyNew - 1             // A
)

// notifyLetters is in the order of the bits, which is the order in which they are printed.
const notifyLetters = "g$lshzxetdnKEm"

// String prints the flags as CONFIG GET does: n disappears beside A.
func (f NotifyFlags) String() string {
	if f&NotifyAll == NotifyAll {
		return "A" + (f &^ (NotifyAll | NotifyNew)).String()
	}
	return f.letters()
}

func (f NotifyFlags) letters() string {
	var out []byte
	for i := range len(notifyLetters) {
		if f&(1<<i) != 0 {
			out = append(out, notifyLetters[i])
		}
	}
	return string(out)
}

// notifyCodec: NotifyFlags.
type notifyCodec struct{}

func (notifyCodec) parse(words []string, _ any) (any, error) {
	var flags NotifyFlags
	for i := range len(words[0]) {
		c := words[0][i]
		bit := strings.IndexByte(notifyLetters, c)
		switch {
		case c == 'A':
			flags |= NotifyAll
		case bit >= 0:
			flags |= 1 << bit
		default:
			return nil, errors.New("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
		}
	}
	return flags, nil
}

func (notifyCodec) format(v any) string { return v.(NotifyFlags).String() }

// lines spells every flag, so that n survives the way through a file, which it does not in Redis.
func (notifyCodec) lines(v any) []string {
	f := v.(NotifyFlags)
	if f&NotifyAll == NotifyAll {
		return []string{quoteArg("A" + (f &^ NotifyAll).letters())}
	}
	return []string{quoteArg(f.letters())}
}

// ShutdownFlags says how a shutdown asked for by a signal goes; zero is the default.
type ShutdownFlags uint8

const (
	ShutdownSave ShutdownFlags = 1 << iota
	ShutdownNosave
	ShutdownNow
	ShutdownForce
)

var shutdownNames = []string{"save", "nosave", "now", "force"} // in the order of the bits

// shutdownCodec: ShutdownFlags.
type shutdownCodec struct{}

func (shutdownCodec) parse(words []string, _ any) (any, error) {
	var flags ShutdownFlags
	for _, w := range words {
		w = strings.ToLower(w)
		if w == "default" {
			continue
		}
		bit := slices.Index(shutdownNames, w)
		if bit < 0 {
			return nil, errOneOf(append([]string{"default"}, shutdownNames...))
		}
		flags |= 1 << bit
	}
	if len(words) == 0 {
		return nil, errOneOf(append([]string{"default"}, shutdownNames...))
	}
	if flags&ShutdownSave != 0 && flags&ShutdownNosave != 0 {
		return nil, errors.New("shutdown options SAVE and NOSAVE can't be used simultaneously")
	}
	return flags, nil
}

func (shutdownCodec) format(v any) string {
	if v.(ShutdownFlags) == 0 {
		return "default"
	}
	var out []string
	for bit, name := range shutdownNames {
		if v.(ShutdownFlags)&(1<<bit) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

func (c shutdownCodec) lines(v any) []string { return []string{c.format(v)} }

// oomCodec: [3]int, the OOM scores of the main process, of replicas and of child processes.
type oomCodec struct{}

func (oomCodec) parse(words []string, _ any) (any, error) {
	var out [3]int
	if len(words) != len(out) {
		return nil, errArgCount
	}
	for i, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil || n < -2000 || n > 2000 {
			return nil, errors.New("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
		}
		out[i] = n
	}
	return out, nil
}

func (oomCodec) format(v any) string {
	a := v.([3]int)
	return fmt.Sprintf("%d %d %d", a[0], a[1], a[2])
}

func (c oomCodec) lines(v any) []string { return []string{c.format(v)} }

// percentileCodec: []float64.
type percentileCodec struct{}

func (percentileCodec) parse(words []string, _ any) (any, error) {
	var out []float64
	if len(words) == 1 && words[0] == "" {
		return out, nil
	}
	for _, w := range words {
		p, ok := parsePercentile(w)
		if !ok {
			return nil, errors.New("Invalid latency-tracking-info-percentiles parameters")
		}
		if p < 0 || p > 100 {
			return nil, errors.New("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
		}
		out = append(out, p)
	}
	return out, nil
}

// parsePercentile reads what C's strtod reads, which includes hexadecimal integers; ParseFloat wants an exponent on those.
func parsePercentile(w string) (float64, bool) {
	if lower := strings.ToLower(w); strings.Contains(lower, "0x") && !strings.Contains(lower, "p") {
		w += "p0"
	}
	if strings.Contains(w, "_") {
		return 0, false
	}
	p, err := strconv.ParseFloat(w, 64)
	return p, !math.IsNaN(p) && (err == nil || errors.Is(err, strconv.ErrRange))
}

func (percentileCodec) format(v any) string {
	var out []string
	for _, p := range v.([]float64) {
		out = append(out, formatPercentile(p))
	}
	return strings.Join(out, " ")
}

// formatPercentile prints up to six digits after the point (C's %f) and cuts the zeros off.
func formatPercentile(p float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(p, 'f', 6, 64), "0"), ".")
}

func (c percentileCodec) lines(v any) []string {
	if len(v.([]float64)) == 0 {
		return []string{`""`}
	}
	return []string{c.format(v)}
}

// ReplicaOf names the master that this server follows; a zero value means that it is a master itself.
type ReplicaOf struct {
	Host string
	Port int
}

// replicaofCodec: ReplicaOf.
type replicaofCodec struct{}

func (replicaofCodec) parse(words []string, _ any) (any, error) {
	if len(words) != 2 {
		return nil, errArgCount
	}
	if strings.EqualFold(words[0], "no") && strings.EqualFold(words[1], "one") {
		return ReplicaOf{}, nil
	}
	port, err := strconv.Atoi(words[1])
	if err != nil || port < 0 || port > maxPort {
		return nil, errors.New("Invalid master port")
	}
	return ReplicaOf{words[0], port}, nil
}

func (replicaofCodec) format(v any) string {
	r := v.(ReplicaOf)
	if r.Host == "" {
		return ""
	}
	return r.Host + " " + strconv.Itoa(r.Port)
}

func (c replicaofCodec) lines(v any) []string {
	if v.(ReplicaOf).Host == "" {
		return []string{"no one"}
	}
	return []string{c.format(v)}
}

// dirCodec: string, an absolute path. A relative one counts from the directory so far, as if each directive changed to it.
type dirCodec struct{}

func (dirCodec) parse(words []string, cur any) (any, error) {
	dir := words[0]
	if dir == "" {
		return nil, errors.New(osReason(syscall.ENOENT))
	}
	if base, _ := cur.(string); !filepath.IsAbs(dir) {
		dir = filepath.Join(base, dir)
	}
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, errors.New(osReason(err))
	}
	return dir, nil
}

func (dirCodec) format(v any) string { return v.(string) }

func (dirCodec) lines(v any) []string { return []string{quoteArg(v.(string))} }

// osReason is what C's strerror says: the errno's text without path and operation, with a capital.
func osReason(err error) string {
	text := err.Error()
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		text = errno.Error()
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
