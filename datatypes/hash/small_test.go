package hash

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/troupe-db/troupe/datatypes/listpack"
)

// smallItem is what the model of a small hash knows of a field.
type smallItem struct {
	field, value string
	at           int64
}

// smallModel is a Small beside a plain slice in the order that Redis keeps.
type smallModel struct {
	t    testing.TB
	s    Small
	want []smallItem
}

func (m *smallModel) index(field string) int {
	return slices.IndexFunc(m.want, func(it smallItem) bool { return it.field == field })
}

// insert puts an item in front of those that are not earlier, or at the end.
func (m *smallModel) insert(it smallItem) {
	i := len(m.want)
	if it.at >= 0 {
		if j := slices.IndexFunc(m.want, func(o smallItem) bool { return o.at < 0 || o.at >= it.at }); j >= 0 {
			i = j
		}
	}
	m.want = slices.Insert(m.want, i, it)
}

func (m *smallModel) put(field, value string, keep bool) {
	off := m.s.Find([]byte(field))
	i := m.index(field)
	require.Equal(m.t, i >= 0, off >= 0)
	extra := m.s.Growth(off, []byte(field), []byte(value))
	before := len(m.s.LP)
	m.s = m.s.Put(off, []byte(field), []byte(value), keep)
	require.LessOrEqual(m.t, len(m.s.LP), before+extra)
	switch {
	case i < 0:
		m.want = append(m.want, smallItem{field, value, None})
	case keep || m.want[i].at < 0:
		m.want[i].value = value
	default:
		m.want = append(slices.Delete(m.want, i, i+1), smallItem{field, value, None})
	}
}

func (m *smallModel) setDeadline(field string, at int64) {
	if !m.s.Dated {
		m.s = Small{LP: m.s.AppendDated(nil), Dated: true}
	}
	i := m.index(field)
	if i < 0 {
		return
	}
	before := len(m.s.LP)
	m.s = m.s.SetDeadline(m.s.Find([]byte(field)), at)
	require.LessOrEqual(m.t, len(m.s.LP), before+DeadlineGrowth(1))
	it := m.want[i]
	m.want = slices.Delete(m.want, i, i+1)
	it.at = at
	m.insert(it)
}

func (m *smallModel) delete(field string) {
	if i := m.index(field); i >= 0 {
		m.s = m.s.Delete(m.s.Find([]byte(field)))
		m.want = slices.Delete(m.want, i, i+1)
	}
}

func (m *smallModel) reap(nowMs int64) {
	due := 0
	for due < len(m.want) && m.want[due].at >= 0 && m.want[due].at <= nowMs {
		due++
	}
	require.Equal(m.t, due, m.s.CountDue(nowMs))
	var gone []string
	m.s = m.s.Reap(nowMs, func(off int) { gone = append(gone, m.text(off)) })
	require.Len(m.t, gone, due)
	for i, f := range gone {
		require.Equal(m.t, m.want[i].field, f)
	}
	m.want = slices.Delete(m.want, 0, due)
}

func (m *smallModel) text(off int) string {
	return string(listpack.Text(m.s.LP, off, make([]byte, 20)))
}

func (m *smallModel) check() {
	require.NoError(m.t, listpack.Validate(m.s.LP, true))
	require.Equal(m.t, len(m.want), m.s.Len())
	i := 0
	for off := m.s.First(); off >= 0; off = m.s.Next(off) {
		require.Equal(m.t, m.want[i], smallItem{m.text(off), m.text(m.s.Value(off)), m.s.Deadline(off)})
		require.Equal(m.t, off, m.s.Seek(i))
		i++
	}
	require.Equal(m.t, len(m.want), i)
	earliest := None
	if len(m.want) > 0 {
		earliest = m.want[0].at
	}
	require.Equal(m.t, earliest, m.s.Earliest())
}

// smallOp does the operation that four bytes stand for.
func (m *smallModel) op(op, field, value, time byte) {
	f := strconv.Itoa(int(field) % 12)
	if field%3 == 0 {
		f = strings.Repeat("f", int(field)/2) + f
	}
	v := strconv.Itoa(int(value) * int(value) * int(value))
	if value%2 == 0 {
		v = strings.Repeat("v", int(value)*2)
	}
	at := int64(time)
	if time%3 == 0 {
		at = 1 << (time / 6)
	}
	switch op % 8 {
	case 0, 1, 2:
		m.put(f, v, op%16 < 8)
	case 3, 4:
		m.setDeadline(f, at+1)
	case 5:
		m.setDeadline(f, None)
	case 6:
		m.delete(f)
	case 7:
		m.reap(int64(time) / 8)
	}
}

func TestSmallModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	m := &smallModel{t: t}
	for i := range steps(20_000) {
		if i%100 == 0 {
			m.s, m.want = Small{LP: listpack.New()}, nil
		}
		n := rnd.Uint32()
		m.op(byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		m.check()
	}
}

func FuzzSmall(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 3, 1, 0, 9, 0, 2, 5, 1, 3, 2, 2, 6, 7, 0, 0, 60})
	f.Add([]byte{0, 3, 2, 3, 0, 60, 200, 1, 3, 60, 0, 250, 5, 60, 0, 0, 6, 3, 0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := &smallModel{t: t, s: Small{LP: listpack.New()}}
		for ; len(ops) >= 4; ops = ops[4:] {
			m.op(ops[0], ops[1], ops[2], ops[3])
			m.check()
		}
	})
}

// FuzzHash does the same with a large hash, which is checked as a whole.
func FuzzHash(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 1, 1, 2, 3, 2, 1, 2, 3, 3, 0, 4, 9, 4, 4, 0, 0, 5, 1, 1, 1, 6, 0, 0, 200})
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := newModel(t)
		for ; len(ops) >= 4; ops = ops[4:] {
			field := strings.Repeat("f", int(ops[1])%32*6) + strconv.Itoa(int(ops[1])/32)
			switch ops[0] % 7 {
			case 0:
				m.put(field, strings.Repeat("v", int(ops[2])), true)
			case 1:
				m.put(field, strings.Repeat("v", int(ops[2])), false)
			case 2:
				m.setDeadline(field, m.nowMs+int64(ops[3]))
			case 3:
				m.setDeadline(field, None)
			case 4:
				m.delete(field)
			case 5:
				m.reap(int64(ops[3]), int(ops[2]))
			case 6:
				if len(m.views) < 3 {
					m.freeze()
				} else {
					m.stepViews(int(ops[2]))
				}
			}
			m.check()
		}
		for len(m.views) > 0 {
			m.stepViews(3)
		}
	})
}

// TestRotate compares with the obvious way.
func TestRotate(t *testing.T) {
	for size := range 20 {
		for n := range size + 1 {
			b := []byte("abcdefghijklmnopqrst")[:size:size]
			want := append(slices.Clone(b[size-n:]), b[:size-n]...)
			b = slices.Clone(b)
			rotate(b, n)
			require.Equal(t, string(want), string(b))
		}
	}
}
