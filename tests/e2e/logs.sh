# The log file is written under the sandbox, and tells what the journal tells.

step "the log file is written under the sandbox and has the journal's events"
log_file=/var/log/thread-exporter/exporter.log
same "owner of the log file" thread-exporter "$(in_box stat -c %U $log_file)"
same "log files that everybody may read" "" "$(in_box find $log_file -perm /007)"
same thread_exporter_log_file_writable 1 "$(own thread_exporter_log_file_writable)"
same_events() {
    in_box cat $log_file > "$stage/log"
    in_box journalctl --sync
    # systemd's own records of the unit, and what the reload command printed, have no LOGGER.
    in_box journalctl -u thread-exporter -o json --no-pager | jq -c 'select(.LOGGER) | [.PRIORITY, .LOGGER, .MESSAGE]' > "$stage/from-journal"
    jq -c '[{trace: "7", debug: "7", info: "6", warn: "4", error: "3", fatal: "2"}[.level], .logger, .message]' "$stage/log" > "$stage/from-file"
    diff "$stage/from-file" "$stage/from-journal"
}
# A record may be written between the two readings.
within 10 same_events
events=$(wc -l < "$stage/from-file")
note "$events events"
# Start, a hundred reloads and what else was done to it: an empty log would be equal too.
[ "$events" -gt 100 ] || fail "only $events events"
