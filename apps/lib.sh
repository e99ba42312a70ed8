# Helpers shared by the recipes (`build`) and the checks (`check`) of the programs in this folder.
# Sourced, never run.

apps_root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build_root=${UNIRUN_BUILD_DIR:-$(dirname "$apps_root")/build}/apps

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# is_fresh TARGET SOURCE…: whether TARGET exists and no SOURCE (file or folder) is newer.
is_fresh() {
    local target=$1 source
    shift
    [[ -e $target ]] || return 1
    for source in "$@"; do
        [[ -z $(find "$source" -newer "$target" -type f -print -quit) ]] || return 1
    done
}

# require_command NAME PACKAGE: stops with the package to install where a command is missing.
require_command() {
    command -v "$1" >/dev/null || die "$1 is not installed: apt-get install $2"
}

# apt_options: prints, one a line, the options that keep apt inside the build folder.
# The machine's own sources tell which mirror to use; its configuration is only read.
apt_options() {
    local apt=$build_root/apt
    printf '%s\n' \
        -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/sources" \
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" \
        -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3 -qq
}

# prepare_apt: entries for sources and packages made from the machine's own, and their lists, once a day.
prepare_apt() {
    local apt=$build_root/apt file
    [[ -z $(find "$apt/updated" -mmin -1440 2>/dev/null) ]] || return 0
    rm -rf "$apt/sources"
    mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ -f $file ]] || continue
        sed -n 's/^deb\( .*\)$/deb\1\ndeb-src\1/p' "$file" | grep -i debian \
            >"$apt/sources/$(basename "$file" .list).list" || true
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [[ -f $file ]] || continue
        grep -qi '^URIs:.*debian' "$file" || continue
        sed 's/^Types:.*/Types: deb deb-src/' "$file" >"$apt/sources/$(basename "$file")"
    done
    local options
    mapfile -t options < <(apt_options)
    apt-get "${options[@]}" update
    touch "$apt/updated"
}

# debian_source PACKAGE: unpacks a Debian source package and prints the folder.
debian_source() {
    local package=$1 folder=$build_root/sources/$1 options
    if [[ ! -e $folder/unpacked ]]; then
        require_command dpkg-source dpkg-dev
        mkdir -p "$build_root/sources"
        (
            flock 9
            prepare_apt
            rm -rf "$folder"
            mkdir -p "$folder"
            cd "$folder"
            mapfile -t options < <(apt_options)
            apt-get "${options[@]}" source "$package" >fetch.log 2>&1 \
                || { cat fetch.log >&2; die "cannot fetch the source package $package"; }
            touch unpacked
        ) 9>"$build_root/sources.lock" >&2
    fi
    find "$folder" -mindepth 1 -maxdepth 1 -type d
}

# debian_root NAME PACKAGE…: unpacks Debian packages and all that they depend on into a folder, and
# prints it. Nothing is configured, as no script of theirs is run.
debian_root() {
    local root=$build_root/roots/$1 apt=$build_root/apt folder package options
    if [[ $(cat "$root.made" 2>/dev/null) != "${*:2}" ]]; then
        mkdir -p "$build_root/roots"
        (
            flock 9
            prepare_apt
            rm -rf "$root" "$root.made" "$apt/packages"
            mkdir -p "$root/usr" "$apt/packages/partial"
            mapfile -t options < <(apt_options)
            # For an empty machine, so that everything is fetched.
            : >"$apt/status"
            apt-get "${options[@]}" -o Dir::State::status="$apt/status" -o Dir::Cache::archives="$apt/packages" \
                --no-install-recommends --download-only -y install "${@:2}" >"$root.log" 2>&1 \
                || { cat "$root.log" >&2; die "cannot fetch the packages ${*:2}"; }
            for folder in bin sbin lib lib64; do
                mkdir -p "$root/usr/$folder"
                ln -s "usr/$folder" "$root/$folder"
            done
            for package in "$apt"/packages/*.deb; do
                dpkg-deb --fsys-tarfile "$package" | tar -C "$root" --keep-directory-symlink -xf -
            done
            rm -rf "$apt/packages" "$root"/usr/share/{doc,man,locale}
            echo "${*:2}" >"$root.made"
        ) 9>"$build_root/sources.lock" >&2
    fi
    echo "$root"
}

# finish NAME FILE [AS]: checks that FILE is a static program and puts it at apps/NAME/AS-static.
finish() {
    local file=$2 target=$apps_root/$1/${3:-$1}-static
    if readelf -lW "$file" | grep -q INTERP; then die "$file is not static"; fi
    install -m 755 "$file" "$target.new"
    mv -f "$target.new" "$target"
    say "built ${target#"$apps_root"/} ($(stat -c %s "$target") bytes)"
}

# begin_check NAME RUNNER…: what a check starts with. RUNNER is empty for native runs, or the words
# of a command that takes options and a program after `--`, such as `bin/unirun run`.
begin_check() {
    check_name=$1
    runner=("${@:2}")
    program=$apps_root/$check_name/$check_name-static
    [[ -x $program ]] || die "$program is missing: run apps/$check_name/build"
    data=$build_root/data/$check_name
    variables=()
    local parent=${TMPDIR:-/tmp}
    [[ -w /dev/shm ]] && parent=/dev/shm
    scratch=$(mktemp -d "$parent/unirun-check-XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    exec </dev/null
}

# fill_data FUNCTION: makes the folder that the program sees as its root, natively as its working
# folder; kept until the check changes.
fill_data() {
    local stamp=$build_root/data/$check_name.made
    is_fresh "$stamp" "$0" "$program" && return
    rm -rf "$data" "$stamp"
    mkdir -p "$data"
    (cd "$data" && "$1")
    find "$data" -exec touch -h -d '2020-02-02 02:02:02 UTC' {} +
    touch "$stamp"
}

# execute ARG…: runs $program with its output in files; prints its exit status.
execute() {
    local status=0 variable
    if ((${#runner[@]})); then
        local options=(--rootfs "$data")
        for variable in "${variables[@]}"; do options+=(-e "$variable"); done
        env -u TERM timeout -k 5 300 "${runner[@]}" "${options[@]}" -- "$program" "$@" \
            >"$scratch/out" 2>"$scratch/err" || status=$?
    else
        # A copy each time: what one run writes, the next does not see, as in the guest.
        chmod -R u+rwx "$scratch/root" 2>/dev/null || true
        rm -rf "$scratch/root"
        cp -a "$data" "$scratch/root"
        # And with what a guest finds in its environment.
        local usual=(
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            HOSTNAME=unirun HOME=/root
        )
        (cd "$scratch/root" \
            && exec env -i "${usual[@]}" "${variables[@]}" /usr/bin/timeout -k 5 300 "$program" "$@") \
            >"$scratch/out" 2>"$scratch/err" || status=$?
    fi
    echo "$status"
}

# run TITLE ARG…: one run; prints what it wrote and how it ended.
run() {
    local status
    printf '== %s\n' "$1"
    status=$(execute "${@:2}")
    cat "$scratch/out"
    sed 's/^/stderr: /' "$scratch/err"
    printf -- '-- status %s\n' "$status"
}

# run_sorted TITLE ARG…: as `run`, for lines whose order is the file system's own.
run_sorted() {
    local status
    printf '== %s\n' "$1"
    status=$(execute "${@:2}")
    LC_ALL=C sort "$scratch/out"
    sed 's/^/stderr: /' "$scratch/err"
    printf -- '-- status %s\n' "$status"
}

# run_digest TITLE ARG…: as `run`, for large or binary output: prints size and SHA-256 of it.
run_digest() {
    local status
    printf '== %s\n' "$1"
    status=$(execute "${@:2}")
    printf '%s bytes, %s\n' "$(stat -c %s "$scratch/out")" "$(sha256sum <"$scratch/out")"
    sed 's/^/stderr: /' "$scratch/err"
    printf -- '-- status %s\n' "$status"
}
