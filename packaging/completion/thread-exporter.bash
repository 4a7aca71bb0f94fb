# bash completion for thread-exporter(8). Needs nothing but bash 4: the package bash-completion may be there or not.
# Names and pids come from other users' processes, so they are never given to compgen -W, which would expand them.

# Offers each of the candidates "$2"... that starts with $1.
_thread_exporter_offer() {
    local typed=$1 candidate
    shift
    for candidate; do
        [[ $candidate == "$typed"* ]] && COMPREPLY+=("$candidate")
    done
}

# The pids of all daemons: processes of this name.
_thread_exporter_pids() {
    local file name
    for file in /proc/[0-9]*/comm; do
        # A process may be gone by now.
        { IFS= read -r name < "$file"; } 2>/dev/null || continue
        [[ $name == thread-exporter ]] && _thread_exporter_offer "$1" "${file//[!0-9]/}"
    done
}

# Names of running processes behind the last comma of a list. Only plain names: nothing that the shell would read otherwise.
_thread_exporter_names() {
    local typed=$1 before='' file name
    local -A seen=()
    [[ $typed == *,* ]] && before=${typed%,*},
    for file in /proc/[0-9]*/comm; do
        { IFS= read -r name < "$file"; } 2>/dev/null || continue
        [[ $name =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ && -z ${seen[$name]-} ]] || continue
        seen[$name]=1
        _thread_exporter_offer "$typed" "$before$name"
    done
    # Another name may follow.
    compopt -o nospace
}

_thread_exporter() {
    local -a commands=(run check once top report reload convert roles)
    local -a options=(--config --filter --port --web.listen-address --path.procfs --log.level --help)
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' i
    COMPREPLY=()

    # readline makes three words of --option=value, and of HOST:PORT.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $previous == '=' && $COMP_CWORD -ge 2 ]]; then
        previous=${COMP_WORDS[COMP_CWORD-2]}
    fi

    case $previous in
        # readline completes paths better than a function can: tildes, blanks, quotes.
        --config) compopt -o default; return ;;
        --path.procfs) compopt -o dirnames; return ;;
        --log.level) _thread_exporter_offer "$current" trace debug info warn error critical; return ;;
        --filter) _thread_exporter_names "$current"; return ;;
        --format) _thread_exporter_offer "$current" text json; return ;;
        --port | --web.listen-address | --url | --at | --from | --to | -n | -d | *:) return ;;
    esac

    # A word after an option, an equals sign or a colon is part of a value, whatever it looks like.
    for ((i = 1; i < COMP_CWORD && ${#command} == 0; i++)); do
        [[ " ${commands[*]} " == *" ${COMP_WORDS[i]} "* && ${COMP_WORDS[i-1]} != [-=:]* ]] && command=${COMP_WORDS[i]}
    done

    if [[ $current == -* ]]; then
        [[ -z $command ]] && options+=(--version)
        [[ $command == top ]] && options+=(--url --at -n -d -b)
        [[ $command == report ]] && options+=(--from --to --url --format -n)
        [[ $command == reload || $command == convert || $command == roles ]] && options=(--help)
        _thread_exporter_offer "$current" "${options[@]}"
    elif [[ -z $command ]]; then
        _thread_exporter_offer "$current" "${commands[@]}"
    elif [[ $command == reload && $previous == reload ]]; then
        _thread_exporter_pids "$current"
    elif [[ $command == convert && $previous == convert ]]; then
        compopt -o default
    fi
}

complete -F _thread_exporter thread-exporter
