#!/bin/sh
# After removal. What the service kept stays, unless dpkg is to purge it.
set -e

if [ "${1-}" = purge ]; then
	rm -rf /var/lib/feidi/pccs
	rmdir --ignore-fail-on-non-empty /var/lib/feidi 2>/dev/null || true
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
