package prefetch

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestReadTakesAnyAddress(t *testing.T) {
	x := 7
	Read(unsafe.Pointer(&x))
	Read(nil)
	require.Equal(t, 7, x)
	require.Zero(t, testing.AllocsPerRun(100, func() { Read(unsafe.Pointer(&x)) }))
}

func BenchmarkRead(b *testing.B) {
	var line [128]byte
	for b.Loop() {
		Read(unsafe.Pointer(&line))
	}
}
