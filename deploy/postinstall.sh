#!/bin/sh
# After installation and upgrade, of .deb and .rpm. The service is not started:
# that is for the administrator, who has settings to make first.
set -e

if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers feidi-pccs.conf
elif ! getent passwd feidi-pccs >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/feidi --shell /usr/sbin/nologin feidi-pccs
fi
# Hashes of tokens are in it, which only the service has to know.
if [ "$(stat -c %G /etc/feidi/pccs.toml)" = root ]; then
	chgrp feidi-pccs /etc/feidi/pccs.toml
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart feidi-pccs.service
fi
