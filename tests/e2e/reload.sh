# Reloads: valid files, an invalid one, a hundred in a row.

reload_at_once() { in_box systemctl reload thread-exporter; }

step "systemctl reload: the same process, the new filter is active, the old one is not"
pid=$(unit MainPID)
other_pid=$(in_box pgrep -x other)
in_box sed -i -e 's|^name = "load"|name = "other"|' -e 's|^comm = \["workload"\]|comm = ["other"]|' /etc/thread-exporter.toml
reload_at_once
scrape
same MainPID "$pid" "$(unit MainPID)"
same "processes that filter other matches" 1 "$(value thread_exporter_filter_matched_processes 'filter="other"')"
same "processes in the scrape" "$other_pid" "$(sed -nE '/^perfscale_thread_/s/.*,ppid="([0-9]+)".*/\1/p' "$stage/metrics" | sort -u)"
fails grep -q 'filter="load"' "$stage/metrics"
within 15 status_shows "$other_pid"

step "systemctl reload of an invalid file fails, and the old filter remains active"
in_box cp -p /etc/thread-exporter.toml /root/good.toml
in_box sed -i -e 's|^name = "other"|name = "broken"|' -e 's|^level = "info"|levle = "info"|' /etc/thread-exporter.toml
line=$(in_box grep -n '^levle' /etc/thread-exporter.toml | cut -d: -f1)
fails reload_at_once
scrape
same MainPID "$pid" "$(unit MainPID)"
same is-active active "$(in_box systemctl is-active thread-exporter)"
same "processes that filter other matches" 1 "$(value thread_exporter_filter_matched_processes 'filter="other"')"
same thread_exporter_config_last_reload_successful 0 "$(own thread_exporter_config_last_reload_successful)"
contains StatusText "the last reload FAILED" "$(unit StatusText)"

step "the journal has file, line and column of the error as fields of one record of priority 3"
in_box journalctl --sync
in_box journalctl -u thread-exporter -o json --no-pager > "$stage/journal"
same "records of the error" 1 "$(jq -c 'select(.ERROR)' "$stage/journal" | wc -l)"
record=$(jq -c 'select(.ERROR)' "$stage/journal")
echo "$record"
at=/etc/thread-exporter.toml
same PRIORITY 3 "$(jq -r .PRIORITY <<< "$record")"
same "CONFIG_FILE LINE COLUMN" "$at $line 1" "$(jq -r '"\(.CONFIG_FILE) \(.LINE) \(.COLUMN)"' <<< "$record")"
same MESSAGE "$at:$line:1: $(jq -r .ERROR <<< "$record")" "$(jq -r .MESSAGE <<< "$record")"
contains ERROR levle "$(jq -r .ERROR <<< "$record")"
same "unit and pid" "thread-exporter.service $pid" "$(jq -r '"\(._SYSTEMD_UNIT) \(._PID)"' <<< "$record")"
# The reload command prints the same.
contains "what the reload command printed" "$at:$line:1:" "$(jq -r 'select(.LOGGER == null) | .MESSAGE' "$stage/journal")"

step "the repaired file reloads"
in_box cp -p /root/good.toml /etc/thread-exporter.toml
reload_at_once
scrape
same thread_exporter_config_last_reload_successful 1 "$(own thread_exporter_config_last_reload_successful)"

step "a hundred reloads of a hundred return when the new filter is active"
in_box bash -euc '
    for n in $(seq 100); do
        sed -i "s|^name = .*|name = \"try-$n\"|" /etc/thread-exporter.toml
        systemctl reload thread-exporter
        curl -sSf http://localhost:9199/metrics | grep -qF "thread_exporter_filter_matched_processes{filter=\"try-$n\"} 1" || { echo "not active after reload $n"; exit 1; }
    done'
same MainPID "$pid" "$(unit MainPID)"
