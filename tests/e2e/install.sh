# From the package to the installed, disabled service.

step "two versions of the package are built"
. "$here/packages.sh"

step "systemd boots in a container"
cp -r tests/Workload/bin/Release/net10.0 "$stage/workload"
# A second program with the same threads but a name of its own.
cp "$stage/workload/workload" "$stage/workload/other"
# A home directory, for example, may be closed to the user that runs the workload; a bind mount leads past it.
dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
BOX_OWNER=$$ "$here/box" up "$box" --bind-ro="$stage:/run/e2e" --bind-ro="$dotnet_root:/run/dotnet" 3>&-
in_box useradd --system --no-create-home worker

dnf() { # dnf REPOSITORY ARGUMENT...
    local repository=$1
    shift
    in_box dnf -y --releasever=0 --disableplugin='*' --repofrompath="$repository,/run/e2e/$repository" --repo="$repository" --setopt=gpgcheck=0 "$@"
}
unit() { in_box systemctl show thread-exporter.service --value -p "$1"; }

step "dnf refuses it where glibc is older than 2.34, and says so"
in_box rpm -i /run/e2e/old-stub.rpm
if refusal=$(dnf first install thread-exporter 2>&1); then fail "dnf installed it beside glibc 2.33"; fi
contains "what dnf says" "nothing provides glibc >= 2.34 needed by thread-exporter" "$refusal"
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

step "systemd-analyze security: exposure of 1.5 or lower"
in_box systemd-analyze security --offline=yes --threshold=15 --no-pager /usr/lib/systemd/system/thread-exporter.service
