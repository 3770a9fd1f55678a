package netio

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"
)

// reservedFiles are the descriptors beside those of clients: log, snapshot and script files, listeners, pollers.
const reservedFiles = 32

// FitMaxClients sees to it that maxClients clients can be open at the same time, by raising the limit on open files as
// far as the system lets us, and returns how many can: maxClients, or less, which is logged.
func FitMaxClients(maxClients int, log *slog.Logger) (int, error) {
	return fitMaxClients(maxClients, fileLimit{getFileLimit, setFileLimit}, log)
}

// fileLimit reads and sets the soft and the hard limit of this process.
type fileLimit struct {
	get func() (soft, hard uint64, err error)
	set func(soft, hard uint64) error
}

func getFileLimit() (soft, hard uint64, err error) {
	var limit unix.Rlimit
	err = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur), uint64(limit.Max), err
}

func setFileLimit(soft, hard uint64) error {
	var limit unix.Rlimit
	assign(&limit.Cur, soft)
	assign(&limit.Max, hard)
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// assign is for a field whose type depends on the system.
func assign[T int64 | uint64](field *T, value uint64) { *field = T(value) }

func fitMaxClients(maxClients int, files fileLimit, log *slog.Logger) (int, error) {
	want := uint64(maxClients) + reservedFiles
	have, hard, err := files.get()
	if err != nil {
		return 0, fmt.Errorf("netio: limit on open files: %w", err)
	}
	if have >= want {
		return maxClients, nil
	}
	// A privileged process may raise the hard limit too, others only go up to it.
	if files.set(want, max(want, hard)) == nil {
		return maxClients, nil
	}
	if most := min(want, hard); most > have && files.set(most, hard) == nil {
		have = most
	}
	if have >= want {
		return maxClients, nil
	}
	if have <= reservedFiles {
		return 0, fmt.Errorf("netio: at most %d files may be open, too few to serve any client", have)
	}
	fits := int(have - reservedFiles)
	log.Warn("maxclients reduced: the limit on open files is too low", "asked", maxClients, "maxclients", fits,
		"files", have, "filesNeeded", want)
	return fits, nil
}
