#!/bin/sh
# Before removal. An upgrade comes here, too: dpkg says "upgrade", rpm 1.
set -e

case "${1-}" in
upgrade | 1) ;;
*)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now feidi-pccs.socket feidi-pccs.service
	fi
	;;
esac
