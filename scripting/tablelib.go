package scripting

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/troupe-db/troupe/scripting/luaarg"
)

func (st *state) tableLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"concat": st.tableConcat, "foreach": st.tableForeach, "foreachi": st.tableForeachI, "getn": st.tableGetN, "insert": st.tableInsert,
		"maxn": st.tableMaxN, "remove": st.tableRemove, "setn": st.tableSetN, "sort": st.tableSort,
	}
}

// step is to be called in loops of Go functions; it raises when the run is to end.
func (st *state) step(L *lua.LState) {
	if st.Done() != nil {
		st.raise(L, errStopped.Error())
	}
}

func (st *state) tableConcat(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	sep := ""
	if L.Get(2) != lua.LNil {
		sep = luaarg.String(L, 2)
	}
	i := luaarg.OptInteger(L, 3, 1)
	last := int64(t.Len())
	if L.Get(4) != lua.LNil {
		last = luaarg.Integer(L, 4)
	}
	if i > last {
		L.Push(lua.LString(""))
		return 1
	}
	total := 0
	for k := i; ; k++ {
		switch v := t.RawGet(lua.LNumber(k)).(type) {
		case lua.LString:
			total += len(v)
		case lua.LNumber:
			total += 24
		default:
			st.raise(L, "invalid value ("+typeName(v)+") at index "+itoa(int(k))+" in table for 'concat'")
		}
		total += len(sep)
		st.checkLength(L, total)
		st.step(L)
		if k == last {
			break
		}
	}
	var b strings.Builder
	b.Grow(total)
	for k := i; ; k++ {
		switch v := t.RawGet(lua.LNumber(k)).(type) {
		case lua.LString:
			b.WriteString(string(v))
		case lua.LNumber:
			var digits [40]byte
			b.Write(luaarg.AppendNumber(digits[:0], float64(v), 14))
		}
		if k == last {
			break
		}
		b.WriteString(sep)
	}
	L.Push(lua.LString(b.String()))
	return 1
}

// checkFunction returns argument n, which must be a function.
func checkFunction(L *lua.LState, n int) *lua.LFunction {
	f, ok := L.Get(n).(*lua.LFunction)
	if !ok {
		luaarg.TypeError(L, n, "function")
	}
	return f
}

func (st *state) tableForeach(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	f := checkFunction(L, 2)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		if st.each(L, f, k, v) {
			return 1
		}
	}
	return 0
}

func (st *state) tableForeachI(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	f := checkFunction(L, 2)
	n := t.Len()
	for i := 1; i <= n; i++ {
		if st.each(L, f, lua.LNumber(i), t.RawGetInt(i)) {
			return 1
		}
	}
	return 0
}

// each calls f with a field; what it returns, if not nil, ends the loop and is left on the stack.
func (st *state) each(L *lua.LState, f *lua.LFunction, k, v lua.LValue) bool {
	st.step(L)
	L.Push(f)
	L.Push(k)
	L.Push(v)
	L.Call(2, 1)
	if L.Get(-1) != lua.LNil {
		return true
	}
	L.Pop(1)
	return false
}

func (st *state) tableGetN(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	L.Push(lua.LNumber(t.Len()))
	return 1
}

func (st *state) tableSetN(L *lua.LState) int {
	checkTable(L, 1)
	st.raise(L, "'setn' is obsolete")
	return 0
}

func (st *state) tableMaxN(L *lua.LState) int {
	t, _ := st.behind(checkTable(L, 1))
	highest := lua.LNumber(0)
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		if n, ok := k.(lua.LNumber); ok && n > highest {
			highest = n
		}
	}
	L.Push(highest)
	return 1
}

func (st *state) tableInsert(L *lua.LState) int {
	t := checkTable(L, 1)
	end := int64(t.Len()) + 1
	switch L.GetTop() {
	case 2:
		st.writable(L, t).RawSet(lua.LNumber(end), L.Get(2))
	case 3:
		pos := luaarg.Integer(L, 2)
		st.writable(L, t)
		if 1 <= pos && pos < end {
			t.Insert(int(pos), L.Get(3))
			break
		}
		for i := end; i > pos; i-- { // from a position below 1
			st.step(L)
			t.RawSet(lua.LNumber(i), t.RawGet(lua.LNumber(i-1)))
		}
		t.RawSet(lua.LNumber(pos), L.Get(3))
	default:
		st.raise(L, "wrong number of arguments to 'insert'")
	}
	return 0
}

func (st *state) tableRemove(L *lua.LState) int {
	t := checkTable(L, 1)
	end := int64(t.Len())
	pos := luaarg.OptInteger(L, 2, end)
	if pos < 1 || pos > end {
		return 0
	}
	L.Push(st.writable(L, t).Remove(int(pos)))
	return 1
}

func (st *state) tableSort(L *lua.LState) int {
	t := checkTable(L, 1)
	s := sorter{st: st, L: L, t: t}
	if L.Get(2) != lua.LNil {
		s.less = checkFunction(L, 2)
	}
	L.SetTop(2)
	n := t.Len()
	if n > 1 {
		st.writable(L, t)
	}
	s.sort(1, n)
	return 0
}

// sorter sorts as Lua does, comparing the same elements in the same order: scripts see that when their order function is wrong.
type sorter struct {
	st   *state
	L    *lua.LState
	t    *lua.LTable
	less *lua.LFunction
}

func (s *sorter) at(i int) lua.LValue { return s.t.RawGetInt(i) }

func (s *sorter) swap(i, j int) {
	a, b := s.at(i), s.at(j)
	s.t.RawSetInt(i, b)
	s.t.RawSetInt(j, a)
}

// before tells whether a goes before b.
func (s *sorter) before(a, b lua.LValue) bool {
	s.st.step(s.L)
	if s.less == nil {
		return s.st.lessThan(s.L, a, b)
	}
	L := s.L
	L.Push(s.less)
	L.Push(a)
	L.Push(b)
	L.Call(2, 1)
	v := L.Get(-1)
	L.Pop(1)
	return lua.LVAsBool(v)
}

func (s *sorter) sort(lo, hi int) {
	for lo < hi {
		if s.before(s.at(hi), s.at(lo)) {
			s.swap(lo, hi)
		}
		if hi-lo == 1 {
			return
		}
		mid := (lo + hi) / 2
		if s.before(s.at(mid), s.at(lo)) {
			s.swap(mid, lo)
		} else if s.before(s.at(hi), s.at(mid)) {
			s.swap(mid, hi)
		}
		if hi-lo == 2 {
			return
		}
		pivot := s.at(mid)
		s.swap(mid, hi-1)
		mid = s.partition(lo, hi, pivot)
		// The smaller half by recursion bounds its depth.
		if mid-lo < hi-mid {
			s.sort(lo, mid-1)
			lo = mid + 1
		} else {
			s.sort(mid+1, hi)
			hi = mid - 1
		}
	}
}

// partition puts what goes before the pivot, which is at hi-1, to its left and returns its place.
func (s *sorter) partition(lo, hi int, pivot lua.LValue) int {
	i, j := lo, hi-1
	for {
		for i++; s.before(s.at(i), pivot); i++ {
			if i > hi {
				s.st.raise(s.L, "invalid order function for sorting")
			}
		}
		for j--; s.before(pivot, s.at(j)); j-- {
			if j < lo {
				s.st.raise(s.L, "invalid order function for sorting")
			}
		}
		if j < i {
			s.swap(hi-1, i)
			return i
		}
		s.swap(i, j)
	}
}

// lessThan compares as the operator < does, for Go functions.
func (st *state) lessThan(L *lua.LState, a, b lua.LValue) bool {
	switch x := a.(type) {
	case lua.LNumber:
		if y, ok := b.(lua.LNumber); ok {
			return x < y
		}
	case lua.LString:
		if y, ok := b.(lua.LString); ok {
			return x < y
		}
	}
	if a.Type() == b.Type() {
		f := metaField(L, a, "__lt")
		if f != lua.LNil && L.RawEqual(f, metaField(L, b, "__lt")) {
			L.Push(f)
			L.Push(a)
			L.Push(b)
			L.Call(2, 1)
			v := L.Get(-1)
			L.Pop(1)
			return lua.LVAsBool(v)
		}
	}
	luaarg.ErrorBare(L, compareError("attempt to compare "+typeName(a)+" with "+typeName(b)))
	return false
}
