# Sourced by `run`, `peers` and `clients`: where things are, how they are installed, how they end.

root=$(cd "$here/../.." && pwd)
cd "$root"
cache=${CONFORMANCE_CACHE:-target/conformance}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
python=$cache/venv/bin/python
export PYTHONDONTWRITEBYTECODE=1

build_examples() {
    [[ -n ${CONFORMANCE_BIN:-} ]] || cargo build --release --examples --features zlib
}

# A private environment with pinned versions; made anew when the pins change. Joined by
# `&&`, because `set -e` does not hold inside a function whose status is looked at.
install_python() {
    if ! cmp -s "$here/requirements.txt" "$cache/venv/installed.txt"; then
        rm -rf "$cache/venv"
        python3 -m venv "$cache/venv" &&
            "$python" -m pip install --quiet --requirement "$here/requirements.txt" &&
            cp "$here/requirements.txt" "$cache/venv/installed.txt"
    fi
}

install_node() {
    if ! cmp -s "$here/package-lock.json" "$cache/node/installed.json"; then
        rm -rf "$cache/node"
        mkdir -p "$cache/node" &&
            cp "$here/package.json" "$here/package-lock.json" "$cache/node/" &&
            npm ci --prefix "$cache/node" --ignore-scripts --no-audit --no-fund --loglevel=error &&
            cp "$here/package-lock.json" "$cache/node/installed.json"
    fi
    export NODE_PATH=$cache/node/node_modules
    [[ -d $NODE_PATH ]]
}

peers_checked() {
    install_python && install_node &&
        guarded 600 "$python" "$here/peers.py" "$@"
}

clients_checked() {
    install_python && install_node &&
        guarded 600 "$python" "$here/clients.py" "$@"
}

# A wall-clock limit that holds whatever the script does. In the background, so that
# a signal to this shell is passed on at once instead of after the script's end.
guarded_pid=
guarded() { # SECONDS COMMAND...
    timeout --kill-after=15 "$@" &
    guarded_pid=$!
    local status=0
    wait "$guarded_pid" || status=$?
    guarded_pid=
    [[ $status != 124 && $status != 137 ]] || echo "no end within $1 s" >&2
    return "$status"
}

end_guarded() {
    if [[ -n $guarded_pid ]]; then
        kill -TERM "$guarded_pid" 2>/dev/null || true
        wait "$guarded_pid" 2>/dev/null || true
    fi
}
trap end_guarded EXIT
trap 'exit 130' INT TERM HUP
