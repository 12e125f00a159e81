# How the CUDA backend is built, and its stand-in, whose kernels run on the CPU; the Makefile includes this.

.PHONY: cuda cuda-object standin on-device test-cuda bench-cuda

# nvcc, where it is: then the CUDA backend is built, too, for these architectures and as PTX of the newest. Of CUDA 13
# and with cuBLAS, which cuda/toolkit.sh finds out.
NVCC       ?= $(firstword $(shell command -v nvcc 2>/dev/null) $(wildcard /usr/local/cuda/bin/nvcc))
CUDA_ARCHS ?= 75 80 86 89 90

# ---- the stand-in ----

STANDIN := $(B)/cuda/backend-standin.o $(B)/cuda/launcher_host.o

$(B)/cuda/backend-standin.o: cuda/backend.cu Makefile cuda/rules.mk
	@mkdir -p $(@D)
	$(call Q,c++) $(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -x c++ -c -o $@ $<

# The same as an object that the daemon loads, for tests over HTTP.
$(B)/gradcheckd-standin.so: cuda/backend.cu cuda/launcher_host.cpp $(wildcard cuda/*.h core/*/*.h) Makefile cuda/rules.mk
	@mkdir -p $(@D)
	$(call Q,c++) $(CXX) $(CPPFLAGS) $(CXXFLAGS) -fPIC -shared -x c++ cuda/backend.cu cuda/launcher_host.cpp -o $@ $(LDLIBS)

# Programs that need a device when they run; without one, or nvcc, they can be compiled all the same.
ON_DEVICE := $(B)/tests/cuda/test_device $(B)/tests/cuda/bench_device
FAKES     := $(B)/tests/cuda/fake_object.so $(B)/tests/cuda/fake/libcuda.so.1

standin: $(STANDIN)

on-device: $(ON_DEVICE)

$(B)/tests/cuda/test_standin: $(CONFORMANCE) $(STANDIN)
$(B)/tests/cuda/test_device: $(CONFORMANCE) $(B)/tests/cuda/object.o

$(B)/tests/cuda/bench_device: $(B)/tests/cuda/bench_device.o $(B)/tests/cuda/object.o $(B)/server/blas_setup.o $(LIBRARY)
	$(call Q,link) $(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(addprefix $(B)/,server/task/device.o tests/cuda/object.o): $(INTERFACE)

$(B)/tests/cuda/fake_object.so: tests/cuda/fake_object.c $(wildcard core/*/*.h) Makefile cuda/rules.mk
$(B)/tests/cuda/fake/libcuda.so.1: tests/cuda/fake_driver.c Makefile cuda/rules.mk
$(FAKES):
	@mkdir -p $(@D)
	$(call Q,link) $(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<

# ---- the shared object that the daemon loads ----

NVCC_FLAGS = -std=c++17 -O3 -fmad=false $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
    -gencode arch=compute_$(lastword $(CUDA_ARCHS)),code=compute_$(lastword $(CUDA_ARCHS)) -I. $(DEFINES) \
    -Xcompiler -fPIC,-fvisibility=hidden,-fno-exceptions,-fno-rtti,-Wall,-Wextra,-Wshadow --cudart static
# cuBLAS is looked for beside the object first, then where the toolkit is that built it. libcublasLt, which the object does
# not call itself, is named so that it is found there for libcublas, too.
CUDA_LIBS  = -lcublas -Xlinker --no-as-needed -lcublasLt -Xlinker '-rpath=$$ORIGIN' $(addprefix -Xlinker -rpath=,$(shell sed -n 2p $(B)/cuda-toolkit))

# Builds for sanitizers, coverage and linters, which go elsewhere than build/, have no use for it. An object from when
# there was a toolkit stays: the daemon takes it where the interface is still the same.
cuda:
ifeq ($(B),build)
	@sh cuda/toolkit.sh '$(NVCC)' $(B)/cuda-toolkit '$(CUDA_ARCHS)' || true
	@[ ! -e $(B)/cuda-toolkit ] || $(MAKE) --no-print-directory cuda-object
endif

cuda-object: $(B)/gradcheckd-cuda.so
	@:

$(B)/cuda-toolkit:
	@sh cuda/toolkit.sh '$(NVCC)' $@ '$(CUDA_ARCHS)'

$(B)/gradcheckd-cuda.so: cuda/backend.cu $(B)/cuda-toolkit Makefile cuda/rules.mk
	@mkdir -p $(@D)
	$(call Q,nvcc) $(NVCC) $(NVCC_FLAGS) -MD -MF $(B)/gradcheckd-cuda.d -shared -o $@ $< $(CUDA_LIBS)

# Status 77 is how test_device and bench_device say that there was nothing to run on, in a line that begins with SKIPPED:
# no failure, but no reason to go on either.
#
# compute-sanitizer slows kernels down so much that it gets the small cases alone.
SANITIZER ?= $(firstword $(shell command -v compute-sanitizer 2>/dev/null) $(wildcard $(dir $(shell command -v '$(NVCC)'))compute-sanitizer))
test-cuda: $(B)/tests/cuda/test_device cuda ## the conformance suite on a GPU (SKIPPED where there is none), and compute-sanitizer on it
	@export GRADCHECKD_CUDA=$(B)/gradcheckd-cuda.so; \
	$< || { status=$$?; [ $$status = 77 ] && exit 0; exit $$status; }; \
	if [ -z "$(SANITIZER)" ]; then echo 'SKIPPED: no compute-sanitizer here'; exit 0; fi; \
	for tool in memcheck racecheck initcheck synccheck; do for tcase in small_primitives passes many; do \
	    echo "compute-sanitizer: $$tool on $$tcase"; \
	    CK_RUN_CASE=$$tcase $(SANITIZER) --tool $$tool --error-exitcode 1 $< || exit 1; \
	done; done

bench-cuda: $(B)/tests/cuda/bench_device cuda ## the CUDA backend beside PyTorch on the same card and our CPU backend (SKIPPED without a GPU)
	@export GRADCHECKD_CUDA=$(B)/gradcheckd-cuda.so; \
	{ $<; echo $$? > $(B)/bench-cuda.status; } | tee $(B)/bench-cuda.txt; read -r status < $(B)/bench-cuda.status; \
	[ $$status = 0 ] || { [ $$status = 77 ] && exit 0; exit $$status; }; \
	python3 tests/cuda/bench_torch.py $(B)/bench-cuda.txt || { status=$$?; [ $$status = 77 ] && exit 0; exit $$status; }
