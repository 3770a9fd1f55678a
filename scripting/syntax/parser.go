package syntax

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// Limits of Lua's compiler.
const (
	maxLevels = 197 // nested blocks and expressions: 200 levels of C, of which the caller takes some
	maxLocals = 200
	// maxChain bounds what is nested in the tree though not in the source: operators of one level, fields and calls behind a name, elseif. Lua has
	// no such limit, but the time that the compiler of the VM takes grows with its square.
	maxChain = 1000
)

// Parse returns the syntax tree of a chunk. name is what messages call it, see ChunkName. The error is an *Error.
func Parse(src, name string) (chunk []ast.Stmt, err error) {
	p := &parser{lexer: lexer{src: src, chunk: name, line: 1}}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			chunk, err = nil, e
		}
	}()
	p.fn = &function{vararg: true}
	p.advance()
	chunk = p.block()
	if p.tok.kind != tokEOF {
		p.expected("<eof>")
	}
	return chunk, nil
}

// Lengths that names of chunks are cut to: for a buffer of 80 bytes with a NUL at the end and what goes around the name.
const (
	maxPlainName  = 79
	maxFileName   = 72 // the end of it counts
	maxSourceName = 63
)

// ChunkName returns what messages call a chunk loaded under name: Lua's rule is that a name after = or @ stands for itself and anything else is the
// source, of which the first line is shown.
func ChunkName(name string) string {
	if strings.HasPrefix(name, "=") {
		return name[1:min(len(name), 1+maxPlainName)]
	}
	if file, ok := strings.CutPrefix(name, "@"); ok {
		if len(file) > maxFileName {
			return "..." + file[len(file)-maxFileName:]
		}
		return file
	}
	end := len(name)
	if i := strings.IndexAny(name, "\r\n"); i >= 0 {
		end = i
	}
	if end = min(end, maxSourceName); end < len(name) {
		return `[string "` + name[:end] + `..."]`
	}
	return `[string "` + name + `"]`
}

// function is what the parser knows about the function it is in.
type function struct {
	parent *function
	line   int // 0 for the main function
	vararg bool
	locals int
	loops  int
}

type parser struct {
	lexer
	tok      token
	end      int // where tok ends in the source
	ahead    token
	aheadEnd int
	peeked   bool
	lastLine int // of the token before tok
	level    int
	grouped  bool // the expression that suffixed parsed last is wholly in parentheses
	fn       *function
}

func (p *parser) advance() {
	p.lastLine = p.tok.line
	if p.peeked {
		p.tok, p.end, p.peeked = p.ahead, p.aheadEnd, false
		return
	}
	p.tok = p.lexer.next()
	p.end = p.pos
	if p.tok.kind == tokString { // Lua counts a string of several lines for its last one
		p.tok.line = p.line
	}
}

func (p *parser) peek() kind {
	if !p.peeked {
		p.ahead = p.lexer.next()
		p.aheadEnd, p.peeked = p.pos, true
		if p.ahead.kind == tokString {
			p.ahead.line = p.line
		}
	}
	return p.ahead.kind
}

// wrong raises a mistake that showed at the current token.
func (p *parser) wrong(msg string) { p.fail(p.tok.line, msg, p.near(p.tok, p.end)) }

func (p *parser) expected(what string) { p.wrong("'" + what + "' expected") }

func (p *parser) accept(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(k kind) {
	if !p.accept(k) {
		p.expected(k.String())
	}
}

// closing expects the token that closes what opened at line.
func (p *parser) closing(k, opened kind, line int) {
	if p.accept(k) {
		return
	}
	if line == p.tok.line {
		p.expected(k.String())
	}
	p.wrong(fmt.Sprintf("'%s' expected (to close '%s' at line %d)", k, opened, line))
}

func (p *parser) name() string {
	if p.tok.kind != tokName {
		p.expected("<name>")
	}
	text := p.tok.text
	p.advance()
	return text
}

func (p *parser) enter() {
	if p.level++; p.level > maxLevels {
		p.fail(p.tok.line, "chunk has too many syntax levels", "")
	}
}

// link counts one more of a chain.
func (p *parser) link(n *int) {
	if *n++; *n > maxChain {
		p.fail(p.tok.line, "chunk has too many syntax levels", "")
	}
}

func (p *parser) leave() { p.level-- }

// addLocals counts n more local variables.
func (p *parser) addLocals(n int) {
	if p.fn.locals += n; p.fn.locals <= maxLocals {
		return
	}
	where := "main function"
	if p.fn.line != 0 {
		where = fmt.Sprintf("function at line %d", p.fn.line)
	}
	p.fail(p.tok.line, fmt.Sprintf("%s has more than %d local variables", where, maxLocals), "")
}

func blockEnd(k kind) bool {
	switch k {
	case tokEOF, tokElse, tokElseif, tokEnd, tokUntil:
		return true
	}
	return false
}

// block parses statements up to a token that ends a block. The locals of the block end with it.
func (p *parser) block() []ast.Stmt {
	outer := p.fn.locals
	stmts := p.statements()
	p.fn.locals = outer
	return stmts
}

func (p *parser) statements() []ast.Stmt {
	p.enter()
	stmts := []ast.Stmt{}
	for last := false; !last && !blockEnd(p.tok.kind); {
		var s ast.Stmt
		s, last = p.statement()
		stmts = append(stmts, s)
		p.accept(';')
	}
	p.leave()
	return stmts
}

// lines sets the lines of a statement that ends with the token before the current one.
func (p *parser) lines(n ast.PositionHolder, first int) {
	n.SetLine(first)
	n.SetLastLine(p.lastLine)
}

func (p *parser) statement() (s ast.Stmt, last bool) {
	line := p.tok.line
	switch p.tok.kind {
	case tokIf:
		s = p.ifStatement(line)
	case tokWhile:
		p.advance()
		cond := p.expr()
		p.expect(tokDo)
		body := p.loop()
		p.closing(tokEnd, tokWhile, line)
		s = &ast.WhileStmt{Condition: cond, Stmts: body}
	case tokDo:
		p.advance()
		body := p.block()
		p.closing(tokEnd, tokDo, line)
		s = &ast.DoBlockStmt{Stmts: body}
	case tokFor:
		s = p.forStatement(line)
	case tokRepeat:
		p.advance()
		outer := p.fn.locals
		p.fn.loops++
		body := p.statements()
		p.fn.loops--
		p.closing(tokUntil, tokRepeat, line)
		cond := p.expr() // sees the locals of the body
		p.fn.locals = outer
		s = &ast.RepeatStmt{Condition: cond, Stmts: body}
	case tokFunction:
		s = p.functionStatement(line)
	case tokLocal:
		p.advance()
		if p.accept(tokFunction) {
			name := p.name()
			p.addLocals(1)
			body := p.body(false, line)
			s = &ast.LocalAssignStmt{Names: []string{name}, Exprs: []ast.Expr{body}}
			break
		}
		s = p.localStatement()
		p.lines(s, p.lastLine)
		return s, false
	case tokReturn:
		p.advance()
		exprs := []ast.Expr{}
		if !blockEnd(p.tok.kind) && p.tok.kind != ';' {
			exprs = p.exprList()
		}
		s = &ast.ReturnStmt{Exprs: exprs}
		p.lines(s, line)
		return s, true
	case tokBreak:
		p.advance()
		if p.fn.loops == 0 {
			p.wrong("no loop to break")
		}
		s = &ast.BreakStmt{}
		p.lines(s, line)
		return s, true
	default:
		s = p.exprStatement()
		p.lines(s, p.lastLine)
		return s, false
	}
	p.lines(s, line)
	return s, false
}

func (p *parser) loop() []ast.Stmt {
	p.fn.loops++
	body := p.block()
	p.fn.loops--
	return body
}

func (p *parser) ifStatement(line int) ast.Stmt {
	first := &ast.IfStmt{}
	n := 0
	for cur := first; ; {
		p.link(&n)
		p.advance() // if, elseif
		cur.Condition = p.expr()
		p.expect(tokThen)
		cur.Then = p.block()
		switch p.tok.kind {
		case tokElseif:
			next := &ast.IfStmt{}
			next.SetLine(p.tok.line)
			cur.Else = []ast.Stmt{next}
			cur = next
			continue
		case tokElse:
			p.advance()
			cur.Else = p.block()
		}
		p.closing(tokEnd, tokIf, line)
		return first
	}
}

func (p *parser) forStatement(line int) (s ast.Stmt) {
	p.advance()
	outer := p.fn.locals
	name := p.name()
	switch p.tok.kind {
	case '=':
		p.advance()
		f := &ast.NumberForStmt{Name: name, Init: p.expr()}
		p.expect(',')
		f.Limit = p.expr()
		if p.accept(',') {
			f.Step = p.expr()
		}
		p.addLocals(4) // three hidden ones
		p.expect(tokDo)
		f.Stmts = p.loop()
		s = f
	case ',', tokIn:
		f := &ast.GenericForStmt{Names: []string{name}}
		for p.accept(',') {
			f.Names = append(f.Names, p.name())
		}
		p.expect(tokIn)
		f.Exprs = p.exprList()
		p.addLocals(3 + len(f.Names))
		p.expect(tokDo)
		f.Stmts = p.loop()
		s = f
	default:
		p.wrong("'=' or 'in' expected")
	}
	p.closing(tokEnd, tokFor, line)
	p.fn.locals = outer
	return s
}

func (p *parser) functionStatement(line int) ast.Stmt {
	p.advance()
	var target ast.Expr = p.ident(p.tok.line, p.name())
	fn := &ast.FuncName{Func: target}
	for p.tok.kind == '.' {
		p.advance()
		fn.Func = p.field(fn.Func)
	}
	method := p.accept(':')
	if method {
		fn.Receiver, fn.Func = fn.Func, nil
		fn.Method = p.name()
	}
	return &ast.FuncDefStmt{Name: fn, Func: p.body(method, line)}
}

func (p *parser) localStatement() ast.Stmt {
	s := &ast.LocalAssignStmt{Exprs: []ast.Expr{}}
	for {
		s.Names = append(s.Names, p.name())
		if !p.accept(',') {
			break
		}
	}
	if p.accept('=') {
		s.Exprs = p.exprList()
		if _, isFunc := s.Exprs[0].(*ast.FunctionExpr); isFunc && len(s.Names) == 1 && len(s.Exprs) == 1 {
			// One name and one function is how the tree says "local function", which sees its own name.
			s.Exprs = append(s.Exprs, &ast.NilExpr{})
		}
	}
	p.addLocals(len(s.Names))
	return s
}

// exprStatement parses a call or an assignment.
func (p *parser) exprStatement() ast.Stmt {
	first := p.suffixed()
	if _, call := first.(*ast.FuncCallExpr); call && !p.grouped {
		return &ast.FuncCallStmt{Expr: first}
	}
	targets := []ast.Expr{first}
	for {
		switch targets[len(targets)-1].(type) {
		case *ast.IdentExpr, *ast.AttrGetExpr:
			if p.grouped {
				p.wrong("syntax error")
			}
		default:
			p.wrong("syntax error")
		}
		if !p.accept(',') {
			break
		}
		if len(targets) >= maxLevels-p.level {
			p.wrong(fmt.Sprintf("%s has more than %d variables in assignment", "function", maxLevels-p.level))
		}
		targets = append(targets, p.suffixed())
	}
	p.expect('=')
	values := p.exprList()
	for _, t := range targets {
		if get, ok := t.(*ast.AttrGetExpr); ok {
			get.SetLine(p.lastLine) // they are set when all is known
		}
	}
	return &ast.AssignStmt{Lhs: targets, Rhs: values}
}

func (p *parser) exprList() []ast.Expr {
	list := []ast.Expr{p.expr()}
	for p.accept(',') {
		list = append(list, p.expr())
	}
	return list
}

func (p *parser) ident(line int, name string) *ast.IdentExpr {
	e := &ast.IdentExpr{Value: name}
	e.SetLine(line)
	return e
}

func str(line int, s string) *ast.StringExpr {
	e := &ast.StringExpr{Value: s}
	e.SetLine(line)
	return e
}

// field parses the name after a dot.
func (p *parser) field(object ast.Expr) ast.Expr {
	key := str(p.tok.line, p.name())
	e := &ast.AttrGetExpr{Object: object, Key: key}
	e.SetLine(p.lastLine)
	return e
}

// primary parses a name or an expression in parentheses.
func (p *parser) primary() ast.Expr {
	line := p.tok.line
	switch p.tok.kind {
	case '(':
		p.advance()
		e := p.expr()
		p.closing(')', '(', line)
		switch e := e.(type) {
		case *ast.FuncCallExpr:
			e.AdjustRet = true
		case *ast.Comma3Expr:
			e.AdjustRet = true
		}
		return e
	case tokName:
		return p.ident(line, p.name())
	}
	p.wrong("unexpected symbol")
	return nil
}

// suffixed parses a primary expression with fields, indexes and calls behind it.
func (p *parser) suffixed() ast.Expr {
	grouped := p.tok.kind == '('
	e := p.primary()
	for n := 0; ; {
		p.link(&n)
		line := p.tok.line
		switch p.tok.kind {
		case '.':
			p.advance()
			e = p.field(e)
		case '[':
			p.advance()
			key := p.expr()
			p.expect(']')
			get := &ast.AttrGetExpr{Object: e, Key: key}
			get.SetLine(p.lastLine)
			e = get
		case ':':
			p.advance()
			name := p.name()
			call := &ast.FuncCallExpr{Receiver: e, Method: name}
			line = p.tok.line
			call.Args = p.args()
			call.SetLine(line)
			e = call
		case '(', tokString, '{':
			call := &ast.FuncCallExpr{Func: e, Args: p.args()}
			call.SetLine(line)
			e = call
		default:
			p.grouped = grouped
			return e
		}
		grouped = false
	}
}

func (p *parser) args() []ast.Expr {
	line := p.tok.line
	switch p.tok.kind {
	case '(':
		if line != p.lastLine {
			p.wrong("ambiguous syntax (function call x new statement)")
		}
		p.advance()
		if p.accept(')') {
			return []ast.Expr{}
		}
		list := p.exprList()
		p.closing(')', '(', line)
		return list
	case '{':
		return []ast.Expr{p.table()}
	case tokString:
		s := str(line, p.tok.text)
		p.advance()
		return []ast.Expr{s}
	}
	p.wrong("function arguments expected")
	return nil
}

func (p *parser) table() ast.Expr {
	line := p.tok.line
	t := &ast.TableExpr{Fields: []*ast.Field{}}
	t.SetLine(line)
	p.expect('{')
	for p.tok.kind != '}' {
		f := &ast.Field{}
		switch {
		case p.tok.kind == tokName && p.peek() == '=':
			f.Key = str(p.tok.line, p.name())
			p.advance()
		case p.tok.kind == '[':
			p.advance()
			f.Key = p.expr()
			p.expect(']')
			p.expect('=')
		}
		f.Value = p.expr()
		t.Fields = append(t.Fields, f)
		if !p.accept(',') && !p.accept(';') {
			break
		}
	}
	p.closing('}', '{', line)
	return t
}

// body parses the parameters and the statements of a function whose definition began at line.
func (p *parser) body(method bool, line int) *ast.FunctionExpr {
	fn := &function{parent: p.fn, line: line}
	p.fn = fn
	f := &ast.FunctionExpr{ParList: &ast.ParList{Names: []string{}}}
	p.expect('(')
	for p.tok.kind != ')' {
		switch p.tok.kind {
		case tokName:
			f.ParList.Names = append(f.ParList.Names, p.name())
		case tokDots:
			p.advance()
			f.ParList.HasVargs, fn.vararg = true, true
		default:
			p.wrong("<name> or '...' expected")
		}
		if fn.vararg || !p.accept(',') {
			break
		}
		if p.tok.kind == ')' {
			p.wrong("<name> or '...' expected")
		}
	}
	n := len(f.ParList.Names)
	if method {
		n++
	}
	if fn.vararg {
		n++ // arg
	}
	p.addLocals(n)
	p.expect(')')
	f.Stmts = p.block()
	f.SetLine(line)
	f.SetLastLine(p.tok.line)
	p.closing(tokEnd, tokFunction, line)
	p.fn = fn.parent
	return f
}

func (p *parser) simple() ast.Expr {
	line := p.tok.line
	var e ast.Expr
	switch p.tok.kind {
	case tokNumber:
		e = &ast.NumberExpr{Value: strconv.FormatFloat(p.tok.num, 'g', -1, 64)}
	case tokString:
		e = &ast.StringExpr{Value: p.tok.text}
	case tokNil:
		e = &ast.NilExpr{}
	case tokTrue:
		e = &ast.TrueExpr{}
	case tokFalse:
		e = &ast.FalseExpr{}
	case tokDots:
		if !p.fn.vararg {
			p.wrong("cannot use '...' outside a vararg function")
		}
		e = &ast.Comma3Expr{}
	case '{':
		return p.table()
	case tokFunction:
		p.advance()
		return p.body(false, line)
	default:
		return p.suffixed()
	}
	p.advance()
	e.SetLine(line)
	return e
}

// binary returns the priorities of a binary operator to its left and right; 0 when k is none.
func binary(k kind) (left, right int) {
	switch k {
	case '+', '-':
		return 6, 6
	case '*', '/', '%':
		return 7, 7
	case '^':
		return 10, 9
	case tokConcat:
		return 5, 4
	case tokNe, tokEq, '<', tokLe, '>', tokGe:
		return 3, 3
	case tokAnd:
		return 2, 2
	case tokOr:
		return 1, 1
	}
	return 0, 0
}

const unaryPriority = 8

func (p *parser) expr() ast.Expr { return p.subexpr(0) }

// subexpr parses operators that bind tighter than limit.
func (p *parser) subexpr(limit int) ast.Expr {
	p.enter()
	var e ast.Expr
	switch k := p.tok.kind; k {
	case tokNot, '-', '#':
		p.advance()
		operand := p.subexpr(unaryPriority)
		switch k {
		case tokNot:
			e = &ast.UnaryNotOpExpr{Expr: operand}
		case '-':
			e = &ast.UnaryMinusOpExpr{Expr: operand}
		default:
			e = &ast.UnaryLenOpExpr{Expr: operand}
		}
		e.SetLine(p.lastLine)
	default:
		e = p.simple()
	}
	for n := 0; ; {
		op := p.tok.kind
		left, right := binary(op)
		if left <= limit {
			break
		}
		p.link(&n)
		p.advance()
		rhs := p.subexpr(right)
		text := op.String()
		switch op {
		case tokAnd, tokOr:
			e = &ast.LogicalOpExpr{Operator: text, Lhs: e, Rhs: rhs}
		case tokConcat:
			e = &ast.StringConcatOpExpr{Lhs: e, Rhs: rhs}
		case tokNe, tokEq, '<', tokLe, '>', tokGe:
			e = &ast.RelationalOpExpr{Operator: text, Lhs: e, Rhs: rhs}
		default:
			e = &ast.ArithmeticOpExpr{Operator: text, Lhs: e, Rhs: rhs}
		}
		e.SetLine(p.lastLine)
	}
	p.leave()
	return e
}
