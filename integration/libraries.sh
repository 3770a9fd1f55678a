#!/usr/bin/env bash
# Runs libraries that people build on Redis against a server: libraries.sh WORKDIR [BINARY [LIBRARY…]]
#
#   asynq      task queue in Go: its own test suite
#   redislock  locks in Go: its own test suite
#   redsync    locks over several servers in Go: its own test suite, which starts its servers itself
#   bullmq     task queue for Node: testdata/bullmq.mjs
#
# BINARY is bin/troupe by default. /usr/bin/redis-server will do too, and shows what fails for reasons of the library's. Everything is fetched through the ordinary
# Go proxy and npm into WORKDIR; nothing there is part of the project. Each library gets a fresh server on a free loopback port.
#
# Environment:
#   LIBRARIES_LATEST  when set, the newest versions instead of those below
#   LIBRARIES_ARGS    more options for the server
#
# Leaves the output of each library and of its server in WORKDIR/log. Exit code 1: a test failed, a suite did not reach its end or a server died; 2: could not run
# at all.
set -euo pipefail

asynq_version=v0.26.0
redislock_version=v0.9.4
redsync_version=v4.18.1
bullmq_version=6.7.0
ioredis_version=5

# Tests of the libraries that are left out, as -skip of go test takes them; each needs a reason.
asynq_skip='^$'
redislock_skip='^$'
redsync_skip='^$'

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: libraries.sh WORKDIR [BINARY [LIBRARY...]]" >&2; exit 2; }
mkdir -p "$1"
work=$(cd "$1" && pwd)
binary=${2:-$here/../bin/troupe}
[ -x "$binary" ] || { echo "libraries: no binary $binary" >&2; exit 2; }
binary=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")
shift $(($# < 2 ? $# : 2))
libraries=("$@")
[ $# -gt 0 ] || libraries=(asynq redislock redsync bullmq)
[ -z "${LIBRARIES_LATEST:-}" ] || asynq_version=latest redislock_version=latest redsync_version=latest bullmq_version=latest ioredis_version=latest

loud() {
	echo "###########################################################################" >&2
	echo "# libraries: $1" >&2
	echo "###########################################################################" >&2
	exit 2
}

log=$work/log
rm -rf "$log" && mkdir -p "$log"
export GOWORK=off GOFLAGS=-mod=mod

server=""
stop_server() {
	local pid
	# The servers that redsync's tests started and, when they panicked, left behind.
	if [ -e "$work/pids" ]; then
		while read -r pid; do
			if ps -o args= -p "$pid" 2>/dev/null | grep -qF -- "--dir $work/data"; then kill "$pid" 2>/dev/null || true; fi
		done <"$work/pids"
		rm -f "$work/pids"
	fi
	[ -n "$server" ] || return 0
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=""
}
trap stop_server EXIT
trap 'exit 130' INT TERM

# free_ports N prints the first of N neighbouring ports at which nobody listens.
free_ports() {
	local first i
	while :; do
		first=$((21000 + RANDOM % 9000))
		for ((i = 0; i < $1; i++)); do
			if (exec 3<>"/dev/tcp/127.0.0.1/$((first + i))") 2>/dev/null; then continue 2; fi
		done
		echo "$first"
		return
	done
}

# answers tells whether a server on $port answers PING.
answers() {
	local reply=""
	{ exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
	printf 'PING\r\n' >&3
	read -r -t 5 reply <&3 || true
	exec 3>&-
	[ "$reply" = $'+PONG\r' ]
}

# start_server NAME starts a server and waits until it answers; sets $server and $port.
start_server() {
	local tries
	port=$(free_ports 1)
	rm -rf "$work/data" && mkdir -p "$work/data"
	# shellcheck disable=SC2086
	"$binary" --port "$port" --bind 127.0.0.1 --save '' --dir "$work/data" ${LIBRARIES_ARGS:-} >"$log/$1.server" 2>&1 &
	server=$!
	for ((tries = 0; tries < 100; tries++)); do
		if answers; then return 0; fi
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	cat "$log/$1.server" >&2
	loud "the server does not start"
}

# knows COMMAND… tells whether the server on $port knows the command, given with a harmless form of it.
knows() {
	local reply=""
	{ exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
	printf '%s\r\n' "$*" >&3
	read -r -t 5 reply <&3 || true
	exec 3>&-
	[[ $reply != -ERR\ unknown* ]]
}

# unpack MODULE VERSION NAME leaves a copy of a module that can be changed in $work/NAME.
unpack() {
	local module=$1 version=$2 name=$3 dir
	dir=$(cd "$work" && go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	[ -n "$dir" ] || loud "cannot fetch $module@$version"
	rm -rf "${work:?}/$name" && cp -r "$dir" "$work/$name" && chmod -R u+w "$work/$name"
	grep -q . "$work/$name/go.mod" || loud "$module@$version has no go.mod"
}

# go_tests NAME PACKAGES… -- FLAGS…: runs the tests of packages in $work/NAME one package after another and leaves what they print in $log/NAME.
go_tests() {
	local name=$1 packages=()
	shift
	while [ "$1" != -- ]; do packages+=("$1"); shift; done
	shift
	(cd "$work/$name" && go test -count=1 -p 1 -timeout 20m -v "${packages[@]}" "$@") >"$log/$name" 2>&1
}

run_asynq() {
	start_server asynq
	unpack github.com/hibiken/asynq "$asynq_version" asynq
	# Three tests are about pub/sub alone: they are left out as long as the server has none.
	if ! knows PUBLISH x y; then
		asynq_skip='^(TestSubscriber|TestSubscriberWithRedisDown|TestCancelationPubSub)$'
		echo "asynq: left out, since they need PUBLISH and SUBSCRIBE: $asynq_skip"
	fi
	go_tests asynq . ./internal/rdb -- -skip "$asynq_skip" -redis_addr "127.0.0.1:$port"
}

run_redislock() {
	start_server redislock
	unpack github.com/bsm/redislock "$redislock_version" redislock
	sed -i "s/127\.0\.0\.1:6379/127.0.0.1:$port/" "$work"/redislock/*_test.go
	go_tests redislock . -- -skip "$redislock_skip"
}

# redsync starts 48 servers "redis-server -", gives each a configuration on standard input, and waits until it says that it is ready. They listen on unix sockets and
# on ports from 51200 on, where the system also takes ports for clients from: other ones are written into the copy. The packages below it test no more than that they
# build, and its client for valkey cannot be had from the proxy in every version.
run_redsync() {
	local base
	unpack github.com/go-redsync/redsync/v4 "$redsync_version" redsync
	# rueidis turns client-side caching on unless it is told not to: it is, as long as the server has none.
	start_server redsync
	if ! knows CLIENT TRACKINGINFO; then
		sed -i 's/rueidislib\.ClientOption{/&DisableCache: true,/' "$work"/redsync/*_test.go
		echo "redsync: rueidis does without client-side caching, which needs CLIENT TRACKING"
	fi
	stop_server
	base=$(free_ports 48)
	sed -i "s/51200/$base/" "$work"/redsync/*_test.go
	mkdir -p "$work/path" && rm -rf "$work/data" && mkdir -p "$work/data"
	cat >"$work/path/redis-server" <<-END
		#!/usr/bin/env bash
		echo \$\$ >>"$work/pids"
		exec "$binary" "\$@" --bind 127.0.0.1 --save '' --dir "$work/data" ${LIBRARIES_ARGS:-} > >(exec tee -a "$log/redsync.server") 2>&1
	END
	chmod +x "$work/path/redis-server"
	PATH=$work/path:$PATH go_tests redsync . -- -skip "$redsync_skip"
}

# The script's output has the form of go test's.
run_bullmq() {
	command -v node >/dev/null && command -v npm >/dev/null || loud "node or npm is missing (Debian packages: nodejs, npm)"
	mkdir -p "$work/bullmq"
	[ -e "$work/bullmq/package.json" ] || echo '{"private": true}' >"$work/bullmq/package.json"
	(cd "$work/bullmq" && npm install --ignore-scripts --no-audit --no-fund --loglevel error "bullmq@$bullmq_version" "ioredis@$ioredis_version") \
		>"$log/bullmq.npm" 2>&1 || { cat "$log/bullmq.npm" >&2; loud "npm cannot fetch bullmq@$bullmq_version"; }
	cp "$here/testdata/bullmq.mjs" "$work/bullmq/bullmq.mjs"
	start_server bullmq
	(cd "$work/bullmq" && timeout 10m node bullmq.mjs "$port") >"$log/bullmq" 2>&1
}

# count WORD FILE: how many tests, with subtests, ended so.
count() { grep -cE "^ *--- $1: " "$2" || true; }

failed=0
table=$(printf '%-12s %8s %8s %8s  %s' library passed failed skipped ended)
for name in "${libraries[@]}"; do
	case $name in asynq | redislock | redsync | bullmq) ;; *) loud "no library $name" ;; esac
	if [ "$name" != bullmq ]; then command -v go >/dev/null || loud "go is missing"; fi
	echo "== $name"
	ended=yes
	# Not "if run_$name": it would go on after a failure.
	set +e
	"run_$name"
	code=$?
	set -e
	out=$log/$name
	bad=$(count FAIL "$out")
	[ $code = 0 ] || [ "$bad" != 0 ] || ended="NO: exit code $code"
	grep -qE '^panic: |^fatal error: ' "$out" && ended="NO: see $out"
	if [ -n "$server" ]; then kill -0 "$server" 2>/dev/null || ended="NO: the server died"; fi
	stop_server
	good=$(count PASS "$out")
	[ "$good" != 0 ] || ended="NO: no test passed"
	if [ "$bad" != 0 ] || [ "$ended" != yes ]; then
		failed=1
		grep -E -B 15 '^ *--- FAIL: |^panic: ' "$out" || tail -n 30 "$out"
	fi
	table+=$'\n'$(printf '%-12s %8d %8d %8d  %s' "$name" "$good" "$bad" "$(count SKIP "$out")" "$ended")
done
echo
echo "$table"
exit $failed
