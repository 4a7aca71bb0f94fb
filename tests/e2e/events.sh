# The events in the journal and in the log file, which must be the same: for the steps in watch.sh and logs.sh.

log_file=/var/log/thread-exporter/thread-exporter.log
# The level, the category and the message of each record; $events is their number. Lines of the file that continue a record start with a space.
same_events() {
    in_box cat $log_file > "$stage/log"
    in_box journalctl --sync
    # systemd's own records of the unit, and what the reload command printed, have no LOGGER.
    in_box journalctl -u thread-exporter -o json --no-pager \
        | jq -r 'select(.LOGGER) | {"7": "debug", "6": "info ", "4": "warn ", "3": "error", "2": "fatal"}[.PRIORITY] + " " + .LOGGER + " " + .MESSAGE' \
        | sed 's/^ *//' > "$stage/from-journal"
    sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z //; s/^ *//' "$stage/log" > "$stage/from-file"
    events=$(grep -c '^[0-9]' "$stage/log")
    diff "$stage/from-file" "$stage/from-journal"
}
