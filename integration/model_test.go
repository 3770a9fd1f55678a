package integration

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
)

// model is what a client expects of keys that only it uses, in two databases. Its commands are random, and the same in
// every run.
type model struct {
	rnd    *rand.Rand
	prefix string
	db     int
	data   [2]map[string]string
}

func newModel(seed uint64) *model {
	return &model{
		rnd:    rand.New(rand.NewPCG(7, seed)),
		prefix: fmt.Sprintf("client%d:", seed),
		data:   [2]map[string]string{{}, {}},
	}
}

// modelDepth bounds a pipeline, modelKeys how many keys it uses, few enough that commands meet.
const (
	modelDepth = 600
	modelKeys  = 12
)

// pipeline sends a random pipeline and compares its replies with what the model says.
func (m *model) pipeline(w *wire) error {
	var sent [][]string
	var want []any
	for range 1 + m.rnd.IntN(modelDepth) {
		args, reply := m.next()
		w.add(args...)
		sent, want = append(sent, args), append(want, reply)
	}
	for out := w.out; len(out) > 0 && w.err == nil; {
		n := min(1+m.rnd.IntN(4096), len(out))
		w.out = out[:n]
		w.flush()
		out = out[n:]
	}
	w.out = nil
	for i := range sent {
		got := w.reply()
		if w.err != nil {
			return nil
		}
		if !reflect.DeepEqual(want[i], got) {
			return fmt.Errorf("command %d of %d, %q: got %#v, want %#v", i, len(sent), sent[i], got, want[i])
		}
	}
	return nil
}

func (m *model) key() string { return m.prefix + strconv.Itoa(m.rnd.IntN(modelKeys)) }

// next returns a random command and its reply.
func (m *model) next() ([]string, any) {
	k, data := m.key(), m.data[m.db]
	switch m.rnd.IntN(12) {
	case 0, 1:
		data[k] = strconv.Itoa(m.rnd.IntN(1000))
		return []string{"SET", k, data[k]}, "OK"
	case 2, 3:
		return []string{"GET", k}, value(data, k)
	case 4:
		n, err := strconv.Atoi("0" + data[k])
		if err != nil || n >= 1e15 { // APPEND made it long: start again
			data[k] = "1"
			return []string{"SET", k, "1"}, "OK"
		}
		if old := data[k]; old != "" && old != strconv.Itoa(n) { // what APPEND made may have leading zeros
			return []string{"INCR", k}, errorReply("ERR value is not an integer or out of range")
		}
		data[k] = strconv.Itoa(n + 1)
		return []string{"INCR", k}, n + 1
	case 5:
		data[k] += "0"
		return []string{"APPEND", k, "0"}, len(data[k])
	case 6:
		return m.del()
	case 7:
		other := m.key()
		data[k], data[other] = "7", "8"
		return []string{"MSET", k, "7", other, "8"}, "OK"
	case 8:
		others := []string{k, m.key(), m.key(), m.key()}
		var all []any
		for _, o := range others {
			all = append(all, value(data, o))
		}
		return append([]string{"MGET"}, others...), all
	case 9:
		return m.rename(k)
	case 10:
		m.db = m.rnd.IntN(2)
		return []string{"SELECT", strconv.Itoa(m.db)}, "OK"
	}
	text := strconv.Itoa(m.rnd.Int())
	return []string{"ECHO", text}, text
}

func (m *model) del() ([]string, any) {
	args, n := []string{"DEL"}, 0
	for range 3 {
		k := m.key()
		if _, ok := m.data[m.db][k]; ok {
			delete(m.data[m.db], k)
			n++
		}
		args = append(args, k)
	}
	return args, n
}

func (m *model) rename(k string) ([]string, any) {
	data, to := m.data[m.db], m.key()
	v, ok := data[k]
	if !ok {
		return []string{"RENAME", k, to}, errorReply("ERR no such key")
	}
	delete(data, k)
	data[to] = v
	return []string{"RENAME", k, to}, "OK"
}

func value(data map[string]string, k string) any {
	if v, ok := data[k]; ok {
		return v
	}
	return nil
}
