# From the package to the installed, disabled service.

step "two versions of the package are built"
. "$here/packages.sh"

step "systemd boots in a container"
cp -r tests/Workload/bin/Release/net10.0 "$stage/workload"
# A second program with the same threads but a different name.
cp "$stage/workload/workload" "$stage/workload/other"
# The user of the workload may have no access to a home directory, for example; a bind mount avoids it.
dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
BOX_OWNER=$$ "$here/box" up "$box" --bind-ro="$stage:/run/e2e" --bind-ro="$dotnet_root:/run/dotnet" 3>&-
in_box useradd --system --no-create-home worker

dnf() { # dnf REPOSITORY ARGUMENT...
    local repository=$1
    shift
    in_box dnf -y --releasever=0 --disableplugin='*' --repofrompath="$repository,/run/e2e/$repository" --repo="$repository" --setopt=gpgcheck=0 "$@"
}
unit() { in_box systemctl show thread-exporter.service --value -p "$1"; }

step "dnf refuses it where glibc is older than 2.34, and reports why"
in_box rpm -i /run/e2e/old-stub.rpm
if refusal=$(dnf first install thread-exporter 2>&1); then fail "dnf installed it beside glibc 2.33"; fi
contains "the message of dnf" "nothing provides glibc >= 2.34 needed by thread-exporter" "$refusal"
in_box rpm -e stub

step "dnf installs it from a local repository"
in_box rpm -i /run/e2e/stub.rpm
dnf first install thread-exporter
same "owner and mode of the configuration" "root thread-exporter 640" "$(in_box stat -c '%U %G %a' /etc/thread-exporter.toml)"
contains "thread-exporter --version" "$first_version" "$(in_box thread-exporter --version)"

step "the preset leaves it disabled and not running"
same is-enabled disabled "$(in_box systemctl is-enabled thread-exporter || true)"
same is-active inactive "$(in_box systemctl is-active thread-exporter || true)"

step "systemd-analyze verify finds nothing in the unit"
same "systemd-analyze verify" "" "$(in_box systemd-analyze verify --man=no /usr/lib/systemd/system/thread-exporter.service 2>&1)"

step "the program is position-independent, with full RELRO, no executable stack, and stack protectors in its C and C++ code"
in_box readelf -hldW /usr/bin/thread-exporter > "$stage/elf"
for line in 'Type: +DYN \(Position-Independent Executable' 'GNU_RELRO ' 'GNU_STACK .* RW +0x' '\(FLAGS_1\).* NOW PIE' '\(FLAGS\) +BIND_NOW'; do
    grep -Eq "$line" "$stage/elf" || fail "not in the output of readelf: $line"
done
fails grep -Eq '(RPATH|RUNPATH|TEXTREL|LOAD .* RWE )' "$stage/elf"
in_box readelf --dyn-syms -W /usr/bin/thread-exporter > "$stage/elf"
grep -q ' __stack_chk_fail@' "$stage/elf" || fail "no code calls __stack_chk_fail"

step "the debuginfo package belongs to the program, by build id"
build_id=$(in_box readelf -n /usr/bin/thread-exporter | sed -n 's/.*Build ID: //p')
debug=/usr/lib/debug/.build-id/${build_id:0:2}/${build_id:2}.debug
dnf first install thread-exporter-debuginfo
same "package of the symbols" thread-exporter-debuginfo "$(in_box rpm -qf --qf '%{NAME}' "$debug")"
same "build id of the symbols" "$build_id" "$(in_box readelf -n "$debug" | sed -n 's/.*Build ID: //p')"
in_box readelf -SW "$debug" > "$stage/elf"
grep -q ' \.debug_info ' "$stage/elf" || fail "no debug symbols in $debug"
dnf first remove thread-exporter-debuginfo

step "systemd-analyze security: exposure of 1.3 or lower"
in_box systemd-analyze security --offline=yes --threshold=13 --no-pager /usr/lib/systemd/system/thread-exporter.service
