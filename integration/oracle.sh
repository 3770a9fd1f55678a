#!/usr/bin/env bash
# Installs what the tests compare with: redis-server and redis-tools 7.0, python3-redis, of Debian. Where that cannot be
# done, says so loudly; the tests that need them are then skipped, each saying so too.
set -u
missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
command -v redis-benchmark >/dev/null || missing+=(redis-tools)
python3_debian=/usr/bin/python3
{ [ -x "$python3_debian" ] && "$python3_debian" -c 'import redis' 2>/dev/null; } || missing+=(python3-redis)
[ ${#missing[@]} -eq 0 ] && exit 0
loud() {
	echo "###########################################################################" >&2
	echo "# $1" >&2
	echo "# Missing: ${missing[*]}. Tests that need them are skipped." >&2
	echo "###########################################################################" >&2
}
if ! command -v apt-get >/dev/null; then loud "No apt-get here: real Redis cannot be installed for comparison."; exit 0; fi
sudo=""
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"; else
		loud "Not root: real Redis cannot be installed for comparison."; exit 0; fi
fi
# The package would start a service on port 6379; a policy keeps it from doing so.
policy=/usr/sbin/policy-rc.d
made=""
if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null && $sudo chmod +x "$policy" && made=1; fi
export DEBIAN_FRONTEND=noninteractive
{ $sudo apt-get update -qq && $sudo apt-get install -y -qq "${missing[@]}"; } >/dev/null 2>&1 || loud "apt-get failed."
[ -n "$made" ] && $sudo rm -f "$policy"
exit 0
