#!/bin/sh
# Whether there is a CUDA toolkit that can build the backend: `sh cuda/toolkit.sh NVCC RECORD ARCHITECTURES`.
#
# Where there is, RECORD gets two lines: which nvcc was tried, and for what; and the folder of the toolkit's libraries, or
# nothing where the system finds them by itself. Where there is not, prints why, removes RECORD and exits 1. An nvcc that
# was found good is not tried again until it is another file, or to build for others.
set -u
nvcc=$1 record=$2 architectures=$3

refuse() {
    rm -f "$record"
    echo "  $1: no CUDA backend is built, passes run on the CPU"
    exit 1
}

[ -n "$nvcc" ] || refuse 'no nvcc here'
path=$(command -v "$nvcc") || refuse "$nvcc is not there"
tried=$(stat -L -c '%n %i %s %Y' "$path") || refuse "$path is not there"
tried="$tried for $architectures"
if [ -f "$record" ] && [ "$(head -n 1 "$record")" = "$tried" ]; then exit 0; fi

scratch=$(mktemp -d) || refuse 'no folder for temporary files'
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/probe.cu" <<'END'
#if CUDART_VERSION < 13000
#error CUDA 13 is needed
#endif
#include <cublas_v2.h>
int probe(void) { cublasHandle_t handle; return (int)cublasCreate(&handle); }
END
if ! "$path" -std=c++17 -shared -Xcompiler -fPIC -o "$scratch/probe.so" "$scratch/probe.cu" -lcublas -lcublasLt \
        > "$scratch/said" 2>&1; then
    why=$(grep -m 1 -i -E 'error|cannot|not found' "$scratch/said" || head -n 1 "$scratch/said")
    refuse "$path cannot build it (${why##*probe.cu})"
fi

# nvcc knows where its toolkit is, also where it is called by a link or a wrapper.
top=$("$path" --dryrun "$scratch/probe.cu" 2>&1 | sed -n 's/^#\$ TOP=//p')
libraries=
for folder in "$top/lib64" "$top/lib"; do
    if [ -n "$top" ] && [ -e "$folder/libcublas.so" ]; then
        libraries=$(cd "$folder" && pwd)
        break
    fi
done
mkdir -p "$(dirname "$record")"
printf '%s\n%s\n' "$tried" "$libraries" > "$record"
