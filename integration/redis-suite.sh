#!/usr/bin/env bash
# Runs units of the upstream test suite against a troupe server: redis-suite.sh WORKDIR BINARY [UNIT…]
#
# The suite is that of Debian's source package of redis 7.0. It is fetched into WORKDIR through an apt configuration of its own, so that neither the
# machine's package lists nor its sources change and root is not needed, and checked by apt as any package is. A unit runs in one of two modes:
#
#   external  on one fresh server on a free loopback port (runtest --host, --port); the suite skips what it cannot do with a server it did not start
#   spawn     the suite starts servers itself, with its own configuration files, as it does in upstream's own runs
#
# Files beside this one:
#   redis-suite.units  which units to run, each with its mode, unless named as arguments (UNIT or UNIT:MODE; the mode is external if not given)
#   redis-suite.skip   which tests to leave out, each under its reason
#
# Environment:
#   REDIS_SUITE_SRC     unpacked source tree of redis to use instead of fetching one; copied into WORKDIR, not changed
#   REDIS_SUITE_ONLY    run only the tests of this name (or /regular expression)
#   REDIS_SUITE_NOSKIP  when set, run also what redis-suite.skip names (its tags stay left out): shows what can be taken off the list
#   REDIS_SUITE_ARGS    more options for the server
#
# Leaves the output of each unit and of its server in WORKDIR/log. Exit code 1: a test failed, a unit did not reach its end or a server died; 2: could not
# run at all.
set -euo pipefail

usage="usage: redis-suite.sh WORKDIR BINARY [UNIT...]"
[ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
binary=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
shift 2
[ -x "$binary" ] || { echo "redis-suite: no binary $binary" >&2; exit 2; }
all=no
if [ $# -gt 0 ]; then units=("$@"); else all=yes && mapfile -t units < <(sed -n 's/^\([^# ][^ ]*\) *\([a-z]*\)$/\1:\2/p' "$here/redis-suite.units"); fi

loud() {
	echo "###########################################################################" >&2
	echo "# redis-suite: $1" >&2
	echo "###########################################################################" >&2
	exit 2
}

tree=$work/redis

# fetch leaves the source package in $work/redis.tar.gz.
fetch() {
	command -v apt-get >/dev/null || loud "no apt-get here to fetch the suite with; set REDIS_SUITE_SRC to a source tree of redis 7.0"
	local apt=$work/apt mirror
	rm -rf "$apt" && mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts" "$apt/src"
	# The machine's own mirror of Debian where it has one: it may be the only one it can reach.
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m1 '/debian/\?$' || true)
	echo "deb-src ${mirror:-http://deb.debian.org/debian} bookworm main" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-END
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "$apt/parts";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		APT::Sandbox::User "$(id -un)";
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	END
	apt-get -qq -c "$apt/apt.conf" update || loud "apt-get update failed"
	(cd "$apt/src" && apt-get -qq -c "$apt/apt.conf" source --download-only redis >/dev/null) || loud "apt-get source redis failed"
	mv "$apt"/src/redis_*.orig.tar.gz "$work/redis.tar.gz"
	rm -rf "$apt"
}

# unpack leaves the suite, ready to run, in $tree.
unpack() {
	rm -rf "$tree" && mkdir -p "$tree"
	if [ -n "${REDIS_SUITE_SRC:-}" ]; then
		cp -r "$REDIS_SUITE_SRC/." "$tree"
	else
		[ -e "$work/redis.tar.gz" ] || fetch
		tar -xf "$work/redis.tar.gz" -C "$tree" --strip-components=1
	fi
	# The suite is that of 7.0; all that is changed in it:
	# In external mode it calls FUNCTION FLUSH before each group of tests; a server that has no functions yet answers an error, which would end the run.
	sed -i 's/^\( *\)r function flush$/\1catch {r function flush}/' "$tree/tests/support/server.tcl"
	# CLIENT LIST has had the field watch= since 7.4, four immutable parameters have been spelt with '-' since 7.2, and two are ours.
	sed -i -e 's/multi=-1 qbuf=/multi=-1 watch=0 qbuf=/' \
		-e 's/^\( *\)server_cpulist$/&\n\1server-cpulist bio-cpulist aof-rewrite-cpulist bgsave-cpulist shards event-loops/' \
		"$tree/tests/unit/introspection.tcl"
	# Lists have been listpacks while they are small since 7.2, and so have sets that are not all integers: where 7.0 says quicklist or hashtable, a listpack
	# will do for a value of that type which is small enough for one.
	sed -i -e '/^proc assert_encoding /,/^}/s/^    set val .*$/&\n    if {$val eq "listpack"} {set enc [small_encoding $enc $key]}/' \
		"$tree/tests/support/test.tcl"
	cat >>"$tree/tests/support/test.tcl" <<-'END'

		# The encoding that a value for which 7.0 has $enc may have since 7.2, given that it is a listpack.
		proc small_encoding {enc key} {
		    set type [r type $key]
		    if {$enc eq "quicklist" && $type eq "list"} {
		        set most [lindex [r config get list-max-listpack-size] 1]
		        # Below 0 it is the exponent of a size in bytes, and an element takes no less than 2.
		        if {$most < 0} {set most [expr {1024 << -$most}]}
		        if {[r llen $key] <= $most} {return listpack}
		    }
		    if {$enc eq "hashtable" && $type eq "set" && [r scard $key] <= [lindex [r config get set-max-listpack-entries] 1]} {return listpack}
		    return $enc
		}
		END
	# Numbers have been written with as few digits as tell them apart since 7.2, not with 17: compare scores as numbers.
	sed -i 's/^\( *assert_equal \[lindex \$aux \$i\]\) \(\[r zm*score zscoretest \$i\]\)$/\1 [expr {0.0 + \2}]/' "$tree/tests/unit/type/zset.tcl"
	# Since 7.2 a client that waits in XREADGROUP runs its command again when the stream is gone, and so is told what is wrong now.
	sed -i -e '/Blocking XREADGROUP: .*\(key type changed\|key is not a stream\)/,/^    }/s/\*no longer exists\*/WRONGTYPE*/' -e 's/\*no longer exists\*/NOGROUP*/' \
		"$tree/tests/unit/type/stream-cgroups.tcl"
	# A server that is there only for SCRIPT DEBUG, outside any test which could be skipped, gets a tag that can.
	sed -i '/^start_server {tags {"scripting external:skip"}} {$/{N;s/external:skip\(.*script debug\)/external:skip needs:ldb\1/}' \
		"$tree/tests/unit/scripting.tcl"
	# While a script overruns, troupe answers BUSY to the commands that need a shard which the script holds, and only to them: PING is served, and a script
	# without keys holds nothing. So endless scripts first read a key that they did not declare, for which all shards are held, and what is tried
	# meanwhile is a GET. (One script there is written out with its length.)
	local endless="redis.call('get','x'..'y')"
	sed -i -e "s/{while true do end}/{$endless while true do end}/" -e "s/{local f = function() while 1 do redis.call('ping')/{$endless &/" \
		-e "s/{$endless {local f/{$endless local f/" \
		-e "s/{local a = 1 while true do/{$endless local a = 1 while true do/" \
		-e "s/while 1 do redis\.call('ping') end/while 1 do redis.call('get',1) end/" -e '/redis\.call(.get.,1)/{s/\\\$33\\r/\\$34\\r/;s/\\\$97\\r/\\$98\\r/}' \
		-e 's/\(catch {r \)ping\(} e\)/\1get x\2/' \
		"$tree/tests/unit/multi.tcl" "$tree/tests/unit/scripting.tcl" "$tree/tests/unit/functions.tcl"
	# The clients that tests start.
	local tool
	for tool in redis-cli redis-benchmark; do
		if command -v "$tool" >/dev/null; then ln -sf "$(command -v "$tool")" "$tree/src/$tool"; fi
	done
	touch "$tree/.unpacked"
}

if ! command -v tclsh >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
	{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y tcl; } >/dev/null 2>&1 || true
fi
for tool in tclsh redis-cli; do
	command -v "$tool" >/dev/null || loud "$tool is missing (Debian packages: tcl, redis-tools)"
done
if [ ! -e "$tree/.unpacked" ] || [ "$here/redis-suite.sh" -nt "$tree/.unpacked" ]; then unpack; fi
# What the suite starts as redis-server. It waits for a line with the number of the process in the words of redis-server.
cat >"$tree/src/redis-server" <<-END
	#!/usr/bin/env bash
	exec "$binary" "\$@" > >(exec sed -u 's/^.*Ready to accept connections.* pid=\([0-9]*\)/ PID: \1\n&/') 2>&1
	END
chmod +x "$tree/src/redis-server"

log=$work/log
rm -rf "$log" && mkdir -p "$log"

# The skip list in the two forms that runtest takes.
tags=$(sed -n 's/^tag \([^ ]*\)$/-\1/p' "$here/redis-suite.skip" | tr '\n' ' ')
: >"$work/skip"
[ -n "${REDIS_SUITE_NOSKIP:-}" ] || grep -v -e '^##' -e '^# ' -e '^tag ' -e '^$' "$here/redis-suite.skip" >"$work/skip" || true
only=()
[ -z "${REDIS_SUITE_ONLY:-}" ] || only=(--only "$REDIS_SUITE_ONLY")

server=""
stop_server() {
	[ -n "$server" ] || return 0
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=""
}
trap stop_server EXIT
trap 'exit 130' INT TERM

free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 1000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

# start_server NAME starts a server and waits until it answers; sets $server and $port.
start_server() {
	local tries
	port=$(free_port)
	rm -rf "$work/data" && mkdir -p "$work/data"
	# shellcheck disable=SC2086
	"$binary" --port "$port" --bind 127.0.0.1 --dir "$work/data" --save '' --protected-mode no --enable-debug-command yes \
		--enable-protected-configs yes ${REDIS_SUITE_ARGS:-} >"$log/$1.server" 2>&1 &
	server=$!
	for ((tries = 0; tries < 100; tries++)); do
		if [ "$(redis-cli -p "$port" ping 2>/dev/null)" = PONG ]; then return 0; fi
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	cat "$log/$1.server" >&2
	loud "the server does not start"
}

# count WORD FILE: how many tests ended so.
count() { grep -c "^\[$1\]: " "$2" || true; }

# run_unit UNIT MODE OUT: runs it, with the server that start_server started or servers of the suite's own.
run_unit() {
	local where=()
	if [ "$2" = external ]; then
		where=(--host 127.0.0.1 --port "$port")
	else
		where=(--baseport 21500 --portcount 400)
	fi
	# --durable: a test that dies of an error reply counts as failed and the unit goes on.
	(cd "$tree" && TERM=dumb ./runtest "${where[@]}" --clients 1 --durable --timeout 300 --tags "$tags" --skipfile "$work/skip" "${only[@]}" \
		--single "$1") >"$3" 2>&1 || true
}

failed=0
table=$(printf '%-30s %8s %8s %8s  %s' unit passed failed skipped ended)
for entry in "${units[@]}"; do
	unit=${entry%%:*}
	mode=${entry#"$unit"}
	mode=${mode#:}
	mode=${mode:-external}
	name=${unit//\//-}-$mode
	out=$log/$name
	echo "== $unit ($mode)"
	[ "$mode" = spawn ] || start_server "$name"
	run_unit "$unit" "$mode" "$out"
	ended=yes
	grep -q "^\[[0-9/]* done\]: $unit " "$out" || ended=NO
	if [ "$mode" = external ]; then
		kill -0 "$server" 2>/dev/null || ended="NO: the server died"
		stop_server
	fi
	if [ "$ended" != yes ]; then tail -n 30 "$out"; fi
	# The failures, with what the suite says about each.
	awk '/^\[err\]: /{show=1} /^\[(ok|skip|ignore|ready|testing)\]: |^\[[0-9\/]+ done\]: |^Testing |^ *The End$/{show=0} show' "$out"
	bad=$(count err "$out")
	table+=$'\n'$(printf '%-30s %8d %8d %8d  %s' "$unit ($mode)" "$(count ok "$out")" "$bad" "$(($(count skip "$out") + $(count ignore "$out")))" "$ended")
	if [ "$bad" != 0 ] || [ "$ended" != yes ]; then failed=1; fi
done
echo
echo "$table"

# Names on the skip list that no test of the units bears are mistakes.
[ $all = no ] || while IFS= read -r entry; do
	case $entry in /*) continue ;; esac
	grep -qxF -e "[skip]: $entry" -r "$log" || echo "skip list: no test of these units is called: $entry"
done <"$work/skip"
exit $failed
