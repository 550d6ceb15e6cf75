#!/usr/bin/env bash
# Makes feidi_VERSION_amd64.deb and feidi-VERSION.x86_64.rpm in a folder. It needs
# Go only: nfpm is the tool of module tools.
#
#   bash deploy/build.sh DIR
#
# VERSION is that of the packages, or else that of the tag. FEIDI is a command
# that was made already, in place of one made here as a release has it.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# = 1 ] || { echo "usage: bash deploy/build.sh DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)

STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
umask 022

if [ -n "${FEIDI-}" ]; then
	cp "$FEIDI" "$STAGE/feidi"
else
	go run ./internal/release -platforms linux/amd64 -o "$STAGE/release"
	mv "$STAGE/release/feidi-linux-amd64" "$STAGE/feidi"
fi

VERSION=${VERSION-$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || echo "v0.0.0-dev.$(git log -1 --format=%h)")}
export ARCH=amd64 VERSION=${VERSION#v}
# The same commit gives the same packages.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH-$(git log -1 --format=%ct)}

"$STAGE/feidi" man "$STAGE/man" >/dev/null
gzip -9n "$STAGE"/man/*.1
mkdir "$STAGE/completion"
"$STAGE/feidi" completion bash >"$STAGE/completion/feidi.bash"
"$STAGE/feidi" completion fish >"$STAGE/completion/feidi.fish"
"$STAGE/feidi" completion zsh >"$STAGE/completion/_feidi"

cp -r deploy LICENSE "$STAGE"
find "$STAGE" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

(cd tools && CGO_ENABLED=0 go build -o "$STAGE/nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm)
cd "$STAGE"
for packager in deb rpm; do
	./nfpm package --config deploy/nfpm.yaml --packager "$packager" --target "$out/"
done
