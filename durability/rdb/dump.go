package rdb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// footerSize is the size of a version and a checksum.
const footerSize = 2 + 8

// ErrVersion is what the error for a payload of a later version of the format wraps.
var ErrVersion = errors.New("rdb: unknown version")

// AppendDumpFooter appends what makes a payload of the body in dst: the version and the checksum of all of dst and the version.
func AppendDumpFooter(dst []byte, version uint16) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, version)
	return binary.LittleEndian.AppendUint64(dst, CRC64(0, dst))
}

// CheckDump checks the footer of a payload and returns the body, a part of payload. The version must be at most maxVersion.
func CheckDump(payload []byte, maxVersion uint16) (body []byte, err error) {
	end := len(payload) - footerSize
	if end < 0 {
		return nil, short(0, footerSize, len(payload))
	}
	if version := binary.LittleEndian.Uint16(payload[end:]); version > maxVersion {
		return nil, fmt.Errorf("%w %d at offset %d, at most %d is known", ErrVersion, version, end, maxVersion)
	}
	want := binary.LittleEndian.Uint64(payload[end+2:])
	if got := CRC64(0, payload[:end+2]); got != want {
		return nil, corrupt(end+2, "the checksum is %016x, not %016x", want, got)
	}
	return payload[:end:end], nil
}
