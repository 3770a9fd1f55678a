package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The project's own rules, as tests: which package may import which, what each file must have and must not do.

const module = "github.com/troupe-db/troupe"

// layers orders the top-level folders: a package imports only packages of its own folder or of one further down. "." is
// the module's root.
var layers = []string{"cmd", ".", "netio", "actors", "scripting", "durability", "datatypes", "netio/resp"}

// frameworks lists, by import path prefix, in which folder alone a framework is used.
var frameworks = map[string]string{
	"github.com/panjf2000/":       "netio",
	"github.com/asynkron/":        "actors",
	"github.com/yuin/gopher-lua":  "scripting",
	"github.com/stretchr/testify": "", // tests only
	"github.com/redis/go-redis":   "", // tests only
	"github.com/anishathalye/":    "", // tests only
}

// maxFileLines is where a file is better split.
const maxFileLines = 800

// goPackage is what go list says about a package.
type goPackage struct {
	ImportPath, Dir, Doc               string
	Imports, TestImports, XTestImports []string
	GoFiles                            []string
}

// folder returns the package's path below the module's root, "." for the root itself.
func (p goPackage) folder() string { return folderOf(p.ImportPath) }

func folderOf(importPath string) string {
	return path.Join(".", strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/"))
}

func within(folder, top string) bool { return folder == top || strings.HasPrefix(folder, top+"/") }

func ours(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,TestImports,XTestImports,GoFiles", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	}
	require.NoError(t, err)
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			require.NotEmpty(t, all)
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

// layer returns a folder's place in layers, -1 when it has none.
func layer(folder string) int {
	best := -1
	for i, top := range layers {
		if (folder == top || top != "." && within(folder, top)) && (best < 0 || len(top) > len(layers[best])) {
			best = i
		}
	}
	return best
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range listPackages(t) {
		from := p.folder()
		all := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
		if within(from, "integration") {
			for _, path := range all {
				assert.True(t, !ours(path) || within(folderOf(path), "integration"),
					"%s imports %s: tests from outside know the server as its users do", from, path)
			}
			continue
		}
		require.GreaterOrEqual(t, layer(from), 0, "%s is in no layer: say in layers what it may import", from)
		for _, path := range p.Imports {
			if !ours(path) {
				continue
			}
			to := folderOf(path)
			same := layer(from) == layer(to)
			assert.True(t, layer(from) < layer(to) || same && from != to, "%s imports %s, which is above it", from, to)
		}
		if within(from, "netio/resp") {
			for _, path := range p.Imports {
				assert.NotContains(t, path, ".", "netio/resp uses the standard library only")
			}
		}
	}
}

func TestFrameworksStayInTheirFolder(t *testing.T) {
	for _, p := range listPackages(t) {
		from := p.folder()
		if within(from, "integration") {
			continue
		}
		for prefix, home := range frameworks {
			imports := p.Imports
			if home != "" {
				imports = slices.Concat(p.Imports, p.TestImports, p.XTestImports)
			}
			for _, path := range imports {
				if strings.HasPrefix(path, prefix) {
					assert.True(t, home != "" && within(from, home), "%s imports %s, which belongs in %q", from, path, home)
				}
			}
		}
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	for _, p := range listPackages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		if p.folder() == "cmd/troupe" { // a program's documentation is that of its main.go
			assert.NotEmpty(t, p.Doc, p.folder())
			continue
		}
		name := filepath.Join(p.Dir, "doc.go")
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
		if assert.NoError(t, err, "%s needs a doc.go", p.folder()) {
			assert.NotNil(t, f.Doc, "%s has no package comment", name)
		}
	}
}

// impure lists files of datatypes that may do what checkPure forbids.
var impure = map[string]bool{
	"datatypes/arena/mem_other.go": true, // stands in for the system's memory, which all shards share, where there is no mmap
}

// source is one parsed file of the project.
type source struct {
	name  string // below the root
	text  string
	files *token.FileSet
	ast   *ast.File
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// at names a place in the file.
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.name, s.files.Position(n.Pos()).Line)
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, p := range listPackages(t) {
		entries, err := os.ReadDir(p.Dir) // not GoFiles: those of other systems count too
		require.NoError(t, err)
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(p.Dir, e.Name()))
			require.NoError(t, err)
			s := source{name: path.Join(p.folder(), e.Name()), text: string(text), files: token.NewFileSet()}
			s.ast, err = parser.ParseFile(s.files, s.name, text, parser.ParseComments)
			require.NoError(t, err)
			all = append(all, s)
		}
	}
	return all
}

func TestSourceRules(t *testing.T) {
	for _, s := range sources(t) {
		dir := path.Dir(s.name)
		assert.LessOrEqual(t, strings.Count(s.text, "\n"), maxFileLines, "%s is long: split it", s.name)
		s.checkNoInit(t)
		s.checkNoLeftovers(t)
		if !within(dir, "cmd") && !within(dir, "integration/bench") {
			s.checkNoPrint(t)
		}
		if within(dir, "datatypes") && !s.test() && !impure[s.name] {
			s.checkPure(t)
		}
		if s.hot() {
			s.checkNoAny(t)
		}
	}
}

// checkNoInit: what a server consists of is listed where it is put together, not registered on the side.
func (s source) checkNoInit(t *testing.T) {
	for _, d := range s.ast.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			assert.Fail(t, "an init function", s.at(f))
		}
	}
}

// checkNoLeftovers: what is to be done is an issue, not a comment.
func (s source) checkNoLeftovers(t *testing.T) {
	for _, group := range s.ast.Comments {
		for _, c := range group.List {
			for _, word := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:"} {
				assert.NotContains(t, c.Text, word, s.at(c))
			}
		}
	}
}

// checkNoPrint: packages log through slog. Examples print, that is how they are checked.
func (s source) checkNoPrint(t *testing.T) {
	for _, d := range s.ast.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && s.test() && strings.HasPrefix(f.Name.Name, "Example") {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				pkg, ok := f.X.(*ast.Ident)
				assert.False(t, ok && pkg.Name == "fmt" && strings.HasPrefix(f.Sel.Name, "Print"), "%s prints", s.at(n))
			case *ast.Ident:
				assert.False(t, f.Name == "print" || f.Name == "println", "%s prints", s.at(n))
			}
			return true
		})
	}
}

// checkPure: data types get time and chance passed in, and run on the goroutine that calls them.
func (s source) checkPure(t *testing.T) {
	for _, spec := range s.ast.Imports {
		switch p := strings.Trim(spec.Path.Value, `"`); p {
		case "time", "math/rand", "math/rand/v2", "crypto/rand", "sync", "sync/atomic":
			assert.Fail(t, "data types have no clock, no chance, no locks", "%s imports %s", s.at(spec), p)
		}
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if _, ok := n.(*ast.GoStmt); ok {
			assert.Fail(t, "data types start no goroutines", s.at(n))
		}
		return true
	})
}

// hot tells whether the file's functions run for every command, where a boxed argument would cost an allocation.
func (s source) hot() bool {
	dir, base := path.Split(s.name)
	switch path.Clean(dir) {
	case "netio/resp", "datatypes/keyspace":
		return !s.test()
	case "datatypes/command":
		return !s.test() && (base == "ctx.go" || strings.HasPrefix(base, "cmd_string"))
	}
	return false
}

func (s source) checkNoAny(t *testing.T) {
	for _, d := range s.ast.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() {
			continue
		}
		for _, param := range f.Type.Params.List {
			ast.Inspect(param.Type, func(n ast.Node) bool {
				id, isIdent := n.(*ast.Ident)
				empty, isInterface := n.(*ast.InterfaceType)
				if isIdent && id.Name == "any" || isInterface && len(empty.Methods.List) == 0 {
					assert.Fail(t, "a parameter of type any", "%s: %s", s.at(f), f.Name.Name)
				}
				return true
			})
		}
	}
}

// notTranscribed lists commands that no transcript can show, and why.
var notTranscribed = map[string]string{
	"shutdown": "it ends the server: shutdown_test.go",
}

// TestEveryCommandHasATranscript asks the server for its commands and looks for each in testdata.
func TestEveryCommandHasATranscript(t *testing.T) {
	if testing.Short() {
		t.Skip("needs to be checked once only")
	}
	shown := transcribed(t)
	c := dialWire(t, startTroupe(t).Addr)
	names := c.texts("COMMAND", "LIST")
	require.NoError(t, c.err)
	var missing []string
	for _, name := range names {
		if shown[name] || notTranscribed[name] != "" {
			continue
		}
		missing = append(missing, name)
	}
	slices.Sort(missing)
	assert.Empty(t, missing, "commands without a line in testdata")
}

// transcribed returns the commands, "client" and "client|list", that transcripts send.
func transcribed(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	shown := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			step := strings.TrimLeft(line, "0123456789")
			rest, ok := strings.CutPrefix(strings.TrimPrefix(step, ">"), "> ")
			if !ok {
				rest, ok = strings.CutPrefix(step, "> ")
			}
			words := strings.Fields(strings.ToLower(rest))
			if !ok || len(words) == 0 {
				continue
			}
			shown[words[0]] = true
			if len(words) > 1 {
				shown[words[0]+"|"+words[1]] = true
			}
		}
	}
	return shown
}
