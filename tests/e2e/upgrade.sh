# Upgrade and removal of the package.

step "dnf upgrade: the edited configuration is kept, the new one is written beside it, the service is restarted"
in_box cp -p /etc/thread-exporter.toml /root/edited.toml
pid=$(unit MainPID)
dnf second upgrade thread-exporter
same "installed version" "$second_version" "$(in_box rpm -q --qf '%{VERSION}' thread-exporter)"
in_box cmp /etc/thread-exporter.toml /root/edited.toml
in_box grep -q "$second_mark" /etc/thread-exporter.toml.rpmnew
same "owner and mode of the configuration" "root thread-exporter 640" "$(in_box stat -c '%U %G %a' /etc/thread-exporter.toml)"
new_process() { [ "$(unit ActiveState)" = active ] && [ "$(unit MainPID)" != "$pid" ] && responds; }
within 20 new_process
same is-enabled enabled "$(in_box systemctl is-enabled thread-exporter)"
same "processes of the service's user" "$(unit MainPID)" "$(in_box pgrep -u thread-exporter)"

step "Prometheus logged no warning during all of this"
no_prometheus_warning

step "dnf remove leaves nothing running, enabled or listening"
dnf second remove thread-exporter
same "processes of the service's user" "" "$(in_box pgrep -u thread-exporter || true)"
fails in_box systemctl is-enabled thread-exporter
fails in_box systemctl is-active thread-exporter
same LoadState not-found "$(unit LoadState)"
same "links to the unit" "" "$(in_box find /etc/systemd/system -name '*thread-exporter*')"
same "installed programs" "" "$(in_box find /usr/bin /usr/lib/systemd -name '*thread-exporter*')"
fails in_box curl -sS -o /dev/null http://localhost:9199/metrics
# The administrator's changes remain after the removal of the package.
in_box cmp /etc/thread-exporter.toml.rpmsave /root/edited.toml
