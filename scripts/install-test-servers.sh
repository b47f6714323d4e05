#!/bin/sh
# The real servers that the tests talk to. Root on Debian: installed. Otherwise: listed.
set -eu
packages="mosquitto mosquitto-clients postgresql chromium faketime gir1.2-gst-rtsp-server-1.0
python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
gstreamer1.0-plugins-ugly fonts-noto-cjk"
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" \
        || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
    echo "missing, their tests are skipped:$missing"
    echo "on Debian or Ubuntu: sudo apt-get install$missing"
    [ "${CI:-}" != true ] || exit 1
fi
