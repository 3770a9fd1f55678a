package lzf

import (
	"encoding/binary"
	"errors"
)

const (
	maxLiteral  = 32      // bytes of a run of literals
	maxDistance = 1 << 13 // how far back a copy may reach
	minMatch    = 3
	maxMatch    = 264

	// The table of places to look for matches has 4096 entries: nodes of lists are mostly 8 KiB, for which clearing a larger table would
	// take longer than what it finds saves.
	tableBits = 12
)

// ErrCorrupt is returned for data that is not the compressed form of anything of the size given.
var ErrCorrupt = errors.New("lzf: corrupt data")

// Compress writes the compressed form of src to dst and returns its length; 0 when it needs more than len(dst) bytes, which may then hold
// anything. An empty src has no compressed form.
//
// src is scanned once, greedily: at every position the last place with the same three bytes (by a hash of them) is looked at, and the longest
// copy from there taken.
func Compress(dst, src []byte) (n int) {
	if len(src) < minMatch+1 || uint64(len(src)) > 1<<31 {
		return literals(dst, 0, src)
	}
	var table [1 << tableBits]uint32 // position+1 of a hash's last three bytes; 0: none
	lit := 0                         // start of the literals that are not written yet
	i := 0
	last := len(src) - 4 // four bytes can be read at once up to here
	for i <= last {
		three := binary.LittleEndian.Uint32(src[i:]) << 8
		slot := &table[three*2654435761>>(32-tableBits)]
		at := int(*slot) - 1
		*slot = uint32(i + 1)
		if at < 0 || i-at > maxDistance || binary.LittleEndian.Uint32(src[at:])<<8 != three {
			i++
			continue
		}
		length := matchLen(src, at, i)
		if lit < i {
			if n = literals(dst, n, src[lit:i]); n == 0 {
				return 0
			}
		}
		if n = backReference(dst, n, i-at-1, length); n == 0 {
			return 0
		}
		// The places inside the copy are entered as well, but for long copies, whose insides seldom start another.
		for end := min(i+length, last+1, i+16); i+1 < end; {
			i++
			three = binary.LittleEndian.Uint32(src[i:]) << 8
			table[three*2654435761>>(32-tableBits)] = uint32(i + 1)
			length--
		}
		i += length
		lit = i
	}
	if lit < len(src) {
		return literals(dst, n, src[lit:])
	}
	return n
}

// matchLen returns how many bytes from at and from i on are equal, at most maxMatch.
func matchLen(src []byte, at, i int) int {
	limit := min(len(src)-i, maxMatch)
	n := minMatch
	for n < limit && src[at+n] == src[i+n] {
		n++
	}
	return n
}

// literals writes runs of the literal bytes lit at dst[n:] and returns where they end, 0 when there is no room.
func literals(dst []byte, n int, lit []byte) int {
	for len(lit) > 0 {
		run := lit[:min(len(lit), maxLiteral)]
		if len(dst)-n < len(run)+1 {
			return 0
		}
		dst[n] = byte(len(run) - 1)
		n += 1 + copy(dst[n+1:], run)
		lit = lit[len(run):]
	}
	return n
}

// backReference writes a copy of length bytes from offset+1 bytes back at dst[n:] and returns where it ends, 0 when there is no room.
func backReference(dst []byte, n, offset, length int) int {
	if len(dst)-n < 3 { // of a short one the third byte is missed at the very end only
		return 0
	}
	if length -= 2; length < 7 {
		dst[n] = byte(length<<5 | offset>>8)
		dst[n+1] = byte(offset)
		return n + 2
	}
	dst[n] = byte(7<<5 | offset>>8)
	dst[n+1] = byte(length - 7)
	dst[n+2] = byte(offset)
	return n + 3
}

// Decompress expands src into dst, whose length must be that of the original. Anything else, and anything malformed, is ErrCorrupt; dst then
// holds a part of the data.
func Decompress(dst, src []byte) error {
	n := 0
	for i := 0; i < len(src); {
		ctrl := int(src[i])
		i++
		if ctrl < maxLiteral {
			ctrl++
			if len(src)-i < ctrl || len(dst)-n < ctrl {
				return ErrCorrupt
			}
			n += copy(dst[n:], src[i:i+ctrl])
			i += ctrl
			continue
		}
		length := ctrl >> 5
		if length == 7 {
			if i == len(src) {
				return ErrCorrupt
			}
			length += int(src[i])
			i++
		}
		length += 2
		if i == len(src) {
			return ErrCorrupt
		}
		from := n - (ctrl&31<<8 | int(src[i])) - 1
		i++
		if from < 0 || len(dst)-n < length {
			return ErrCorrupt
		}
		if from+length <= n {
			copy(dst[n:n+length], dst[from:from+length])
		} else {
			for j := range length {
				dst[n+j] = dst[from+j]
			}
		}
		n += length
	}
	if n != len(dst) {
		return ErrCorrupt
	}
	return nil
}
