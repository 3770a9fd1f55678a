package scripting

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Instructions of the VM: operation 6 bits, A 8, C 9, B 9; Bx is B and C together.
func instOp(i uint32) int { return int(i >> 26) }
func instA(i uint32) int  { return int(i>>18) & 0xff }
func instB(i uint32) int  { return int(i & 0x1ff) }
func instC(i uint32) int  { return int(i>>9) & 0x1ff }
func instBx(i uint32) int { return int(i & 0x3ffff) }
func instSbx(i uint32) int {
	return instBx(i) - 0x3ffff>>1
}

// constantBit marks an operand that is a constant, not a register.
const constantBit = 1 << 8

// lastWrite returns the last instruction before pc that set the register, as far as straight-line reading tells: -1 when none is certain. It is what
// Lua's own search does: jumps forward that do not pass pc are taken.
func lastWrite(p *lua.FunctionProto, pc, reg int) int {
	found := -1
	for i := 0; i < pc; i++ {
		inst := p.Code[i]
		a := instA(inst)
		switch op := instOp(inst); op {
		case lua.OP_LOADNIL:
			if a <= reg && reg <= instB(inst) {
				found = i
			}
		case lua.OP_TFORLOOP:
			if reg >= a+2 {
				found = i
			}
		case lua.OP_CALL, lua.OP_TAILCALL:
			if reg >= a {
				found = i
			}
		case lua.OP_SELF:
			if reg == a || reg == a+1 {
				found = i
			}
		case lua.OP_FORLOOP, lua.OP_FORPREP:
			if reg >= a && reg <= a+3 {
				found = i
			}
		case lua.OP_VARARG:
			if reg >= a && (instB(inst) == 0 || reg < a+instB(inst)-1) {
				found = i
			}
		case lua.OP_JMP:
			if to := i + 1 + instSbx(inst); i < to && to <= pc {
				i = to - 1
			}
		case lua.OP_CLOSURE:
			if reg == a {
				found = i
			}
			i += int(p.FunctionPrototypes[instBx(inst)].NumUpvalues) // they describe the upvalues
		case lua.OP_MOVE, lua.OP_MOVEN, lua.OP_LOADK, lua.OP_LOADBOOL, lua.OP_GETUPVAL, lua.OP_GETGLOBAL, lua.OP_GETTABLE,
			lua.OP_GETTABLEKS, lua.OP_NEWTABLE, lua.OP_ADD, lua.OP_SUB, lua.OP_MUL, lua.OP_DIV, lua.OP_MOD, lua.OP_POW, lua.OP_UNM,
			lua.OP_NOT, lua.OP_LEN, lua.OP_CONCAT, lua.OP_TESTSET:
			if reg == a {
				found = i
			}
		}
	}
	return found
}

// registerName returns what Lua calls the value in a register at pc: its kind (local, global, field, method, upvalue) and name. ok is false when it has
// none.
func registerName(fn *lua.LFunction, pc, reg int) (kind, name string, ok bool) {
	p := fn.Proto
	if local, isLocal := localName(p, reg, pc); isLocal && !strings.HasPrefix(local, "(for ") && !strings.HasPrefix(local, tempPrefix) {
		if kind, plain, hidden := unbound(local); hidden {
			return kind, plain, true
		}
		return "local", local, true
	}
	i := lastWrite(p, pc, reg)
	if i < 0 {
		return "", "", false
	}
	inst := p.Code[i]
	switch instOp(inst) {
	case lua.OP_GETGLOBAL:
		return "global", constantName(p, instBx(inst)|constantBit), true
	case lua.OP_MOVE, lua.OP_MOVEN:
		if instB(inst) < instA(inst) {
			return registerName(fn, i, instB(inst))
		}
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		return "field", constantName(p, instC(inst)), true
	case lua.OP_GETUPVAL:
		if b := instB(inst); b < len(p.DbgUpvalues) {
			if kind, plain, hidden := unbound(p.DbgUpvalues[b]); hidden {
				return kind, plain, true
			}
			return "upvalue", p.DbgUpvalues[b], true
		}
	case lua.OP_SELF:
		if reg == instA(inst) {
			return "method", constantName(p, instC(inst)), true
		}
	}
	return "", "", false
}

// localName returns the local variable that lives in a register at pc.
func localName(p *lua.FunctionProto, reg, pc int) (string, bool) {
	n := reg
	for _, l := range p.DbgLocals {
		if l.StartPc > pc {
			break
		}
		if pc <= l.EndPc { // variables that are there at the same time have consecutive registers
			if n == 0 {
				return l.Name, true
			}
			n--
		}
	}
	return "", false
}

// constantName returns the text of a constant operand; what is no constant string has no name.
func constantName(p *lua.FunctionProto, rk int) string {
	if rk&constantBit != 0 {
		if s, ok := p.Constants[rk&^constantBit].(lua.LString); ok {
			return string(s)
		}
	}
	return "?"
}
