/// The shell program that is the parent of one server for all its life.
///
/// Its standard input and output are one socket to us. It answers each line with one line: `make` with whether `initdb`
/// made the data, or `pg_basebackup` copied those of a primary, `start PORT` with the server's process number, `reap` once the server has ended.
///
/// When our end of the socket goes, it stops the server if one runs, harder every 5 s. Then it removes the folder, and
/// tries once more when children of a killed server still wrote there. It acts on nothing else: it is in a session of
/// its own and ignores the signals that end our process.
///
/// Environment: `FOLDER`, `PROGRAMS` (where `initdb` and `postgres` are), `AS_SERVER` (words that change the user, or
/// nothing), `HOST_AUTHENTICATION`, `PRIMARY_PORT` (of the server to stand by for, or nothing). Arguments: those of `postgres`, without the port.
enum WatchdogScript {
    static let text = #"""
        trap '' INT HUP QUIT TERM PIPE
        cd "$FOLDER" || exit 1
        server=
        while read -r order port; do
            case $order in
            make)
                if [ -n "$PRIMARY_PORT" ]; then
                    if $AS_SERVER "$PROGRAMS/pg_basebackup" -h 127.0.0.1 -p "$PRIMARY_PORT" -U postgres -D "$FOLDER/data" \
                        -R -X stream -c fast --no-sync </dev/null >server.log 2>&1
                    then
                        : >server.log
                        echo made
                    else
                        echo failed
                    fi
                elif $AS_SERVER "$PROGRAMS/initdb" -D "$FOLDER/data" -U postgres -E UTF8 --locale=C --no-sync \
                    --auth-local=trust --auth-host="$HOST_AUTHENTICATION" </dev/null >server.log 2>&1
                then
                    : >server.log
                    echo made
                else
                    echo failed
                fi
                ;;
            start)
                $AS_SERVER "$PROGRAMS/postgres" -D "$FOLDER/data" "$@" -c "port=$port" \
                    </dev/null >>server.log 2>&1 &
                server=$!
                echo "$server"
                ;;
            reap)
                wait "$server"
                server=
                echo reaped
                ;;
            esac
        done
        if [ -n "$server" ]; then
            for signal in INT QUIT KILL; do
                kill -$signal "$server" || break
                tenths=0
                while kill -0 "$server" && [ $tenths -lt 50 ]; do
                    sleep 0.1
                    tenths=$((tenths + 1))
                done
            done
            wait "$server"
        fi
        cd /
        rm -rf -- "$FOLDER" || { sleep 1; rm -rf -- "$FOLDER"; }
        """#
}
