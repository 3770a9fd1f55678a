// Package config holds the configuration of the server: what parameters there are, how they are read from the command
// line, from files and from CONFIG SET, how CONFIG GET prints them and how CONFIG REWRITE writes them back.
//
// Terminology. A parameter is one line of the table in table.go: a name, perhaps an alias (the name it had in older
// releases of Redis), flags, a codec (how its text is read and printed) and a default. A directive is one line of a
// configuration file or one option of the command line. Most directives set a parameter; include, rename-command and a
// few others do not. A Values is one immutable state of all parameters.
//
// Names, bounds, defaults, accepted spellings and error texts are those of Redis 7.4, because tools and clients read
// them; parameters that mean nothing here are accepted, kept and reported. Differences, all on the strict side: numbers
// that overflow are refused where Redis wraps around, modules are refused when the file is read, and ACL users belong in
// the ACL file.
//
// Concurrency. Load may be called from any goroutine and is one atomic load; what it returns is never modified, so a hot
// path takes it once per batch. Get, Set, Assign and Rewrite may be called from any goroutine and are serialized by a
// lock. Callbacks run under that lock, on the goroutine of the caller of Set: they may call Load and nothing else of
// this package. Callbacks must be registered before the server serves.
//
// Caveats. Slices inside a Values are shared by successive states: treat them as read-only. Nothing here changes the
// working directory of the process; relative file names are to be resolved with Values.Path.
//
// Guide: table.go (the parameters), values.go (typed fields), codec.go and codec_list.go (syntax of values), config.go
// (Load, Get, Set, callbacks), splitargs.go (quoting), load.go (command line and files), rewrite.go (CONFIG REWRITE).
package config
