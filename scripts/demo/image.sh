#!/bin/sh
# image.sh VERSION OUT.squashfs [sick] - a small Linux system: Debian's busybox, an init, a service
# and the health check that an update to it must pass.  "sick": the service never becomes ready.
set -eu

version=$1
out=$2
sick=${3:-}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree/bin" "$tree/etc/mue/health.d" "$tree/run" "$tree/proc" "$tree/usr/share/app"
cp /bin/busybox "$tree/bin/busybox"
for tool in sh sleep echo cat; do
	ln -s busybox "$tree/bin/$tool"
done
echo "$version" >"$tree/etc/version"

# What the version brings, so that images differ in more than a number.
i=0
while [ $i -lt 400 ]; do
	echo "message $i of application $version"
	i=$((i + 1))
done >"$tree/usr/share/app/messages"

config=/etc/service.conf
[ -z "$sick" ] || config=/etc/service.cfg # the slip that the health check must find
echo 'beat=2' >"$tree/etc/service.conf"

cat >"$tree/init" <<INIT
#!/bin/sh
# Starts the one service of this device.
if [ -r $config ]; then
	. $config
	echo ready >/run/service
	while :; do
		sleep \$beat
	done
fi
echo "service: no $config" >/run/service
while :; do
	sleep 60
done
INIT

# Runs beside the agent, outside of the image's root: MUE_BOOT_ROOT says where that is.
cat >"$tree/etc/mue/health.d/10-service" <<'CHECK'
#!/bin/sh
i=0
while [ $i -lt 20 ]; do
	read -r said <"$MUE_BOOT_ROOT/run/service" && [ "$said" = ready ] && exit 0
	sleep 0.1
	i=$((i + 1))
done 2>/dev/null
echo "${said:-the service says nothing}"
exit 1
CHECK
chmod 755 "$tree/init" "$tree/etc/mue/health.d/10-service"

rm -f "$out"
SOURCE_DATE_EPOCH=0 mksquashfs "$tree" "$out" -all-root -noappend -no-progress -quiet -processors 1 >/dev/null
