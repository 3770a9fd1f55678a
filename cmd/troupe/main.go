// Command troupe is a Redis-compatible data server.
//
//	troupe [serve] [file] [-] [--name value …]…   run the server, with the parameters of redis.conf
//	troupe version                                print the version
//	troupe help                                   print this
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/troupe-db/troupe/actors"
)

const usage = `Usage: troupe [serve] [file] [-] [--name value ...]...
       troupe version
       troupe help

Runs a Redis-compatible server. file has the syntax of redis.conf, "-" reads the
same from standard input, and options override both:

       troupe                                  defaults, port 6379
       troupe /etc/troupe.conf
       troupe --port 7777 --maxmemory 1gb
       troupe /etc/troupe.conf --loglevel verbose
       echo 'maxmemory 128mb' | troupe -
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "version", "--version", "-v":
			fmt.Fprintf(stdout, "Troupe v=%s redis=%s %s %s/%s\n", actors.Version, actors.RedisVersion, runtime.Version(),
				runtime.GOOS, runtime.GOARCH)
			return 0
		case "help", "--help", "-h":
			fmt.Fprint(stdout, usage)
			return 0
		case "serve":
			args = args[1:]
		}
	}
	if err := serve(args, stdin, stderr); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(stderr, err)
		}
		return 1
	}
	return 0
}
