# What the other steps do not use, under the system call filter: TLS, passwords, rotation of the log file, the recorder's database, a changed file.
# A denied call ends the process here (SIGSYS) instead of failing with EPERM, so that none remains unnoticed.

step "TLS, passwords, log rotation, the recorder and a watched configuration make no system call that the unit denies"
in_box cp -p /etc/thread-exporter.toml /root/sandbox.toml
in_box openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout /etc/thread-exporter/key.pem -out /etc/thread-exporter/cert.pem
in_box chown thread-exporter /etc/thread-exporter/key.pem
hash=$(openssl passwd -6 secret)
in_box sed -i -e 's|^cert_file = .*|cert_file = "/etc/thread-exporter/cert.pem"|' -e 's|^key_file = .*|key_file = "/etc/thread-exporter/key.pem"|' \
    -e 's|^watch_config = .*|watch_config = true|' -e 's|^file_max_size = .*|file_max_size = "64KiB"|' -e 's|^level = .*|level = "trace"|' \
    -e '/^\[recorder\]/,/^\[log\]/s|^interval = .*|interval = "1s"|' -e 's|^max_size = .*|max_size = "1MiB"|' \
    -e "s|^\[web.basic_auth_users\]|&\nprometheus = '$hash'|" /etc/thread-exporter.toml
in_box mkdir -p /run/systemd/system/thread-exporter.service.d
# With the drop-in for passwords in docs/install.md, as it stands.
drop_in=$(awk '/^### Passwords/ { found = 1 } found && /^```/ { if (inside) exit; inside = 1; next } inside' docs/install.md)
contains "the drop-in" "SystemCallFilter=setpriority" "$drop_in"
in_box tee /run/systemd/system/thread-exporter.service.d/e2e.conf <<< "$drop_in
SystemCallErrorNumber=kill"
in_box systemctl daemon-reload
in_box systemctl restart thread-exporter
pid=$(unit MainPID)
code() { in_box curl -skS -o /dev/null -w '%{http_code}' "$@"; }
same "without a password" 401 "$(code https://localhost:9199/metrics)"
same "with a wrong one" 401 "$(code -u prometheus:wrong https://localhost:9199/metrics)"
same "with TLS 1.2" 200 "$(code --tls-max 1.2 -u prometheus:secret https://localhost:9199/metrics)"
same "the page" 200 "$(code --compressed -u prometheus:secret https://localhost:9199/hot)"
same "priorities of the threads that check passwords" "19 19" "$(in_box sh -c "cat /proc/$pid/task/*/stat" | sed -n 's/^[0-9]* (crypt) //p' | cut -d' ' -f17 | paste -sd' ')"
rotated() { code -u prometheus:secret https://localhost:9199/metrics; in_box sh -c 'ls /var/log/thread-exporter/thread-exporter.*.log'; }
within 30 rotated
# With this size the log of the database is written into it every few intervals, and synchronized.
recorded() { [ "$(in_box curl -skS -u prometheus:secret https://localhost:9199/metrics | sed -n 's/^thread_exporter_recorder_intervals_total //p')" -ge 12 ]; }
within 60 recorded
same "a recorded moment" 200 "$(code -u prometheus:secret "https://localhost:9199/api/v1/hot?at=$(($(date +%s) - 3))")"
same "mode and owner of the database" "640 thread-exporter" "$(in_box stat -c '%a %U' /var/lib/thread-exporter/recorder.db)"
in_box systemctl reload thread-exporter
reload_logged() { [ "$(in_box journalctl -u thread-exporter "_PID=$pid" -o cat --no-pager | grep -c 'Configuration reloaded')" -ge 2 ]; }
in_box sh -c 'echo "# changed" >> /etc/thread-exporter.toml'
within 20 reload_logged
same MainPID "$pid" "$(unit MainPID)"

step "the code is not writable, and nothing writable can be executed"
same "mappings that are writable and executable" "" "$(in_box awk '$2 ~ /wx/' "/proc/$pid/maps")"
same MemoryDenyWriteExecute yes "$(unit MemoryDenyWriteExecute)"
same "Result" success "$(unit Result)"
in_box rm -r /run/systemd/system/thread-exporter.service.d /etc/thread-exporter/key.pem /etc/thread-exporter/cert.pem
in_box cp -p /root/sandbox.toml /etc/thread-exporter.toml
in_box systemctl daemon-reload
in_box systemctl restart thread-exporter
pid=$(unit MainPID)
within 20 responds
