# vidstyle for the processor:  docker build -t vidstyle .
# for NVIDIA's GPUs:           docker build -t vidstyle:cuda --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
# to run it on this folder:    docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" vidstyle run film.mp4 --style mosaic
#                              (with a GPU: docker run --gpus all ... vidstyle:cuda ...)
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /source
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY vidstyle vidstyle
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel --build-constraint constraints.txt .

FROM python:${PYTHON}-slim-bookworm
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# Which version of torch is its index's business; pyproject.toml holds the bounds, and the next step would replace one beyond them.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir torch torchvision --index-url "${TORCH_INDEX}"
RUN --mount=type=bind,from=build,source=/wheel,target=/wheel \
    --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir --constraint /constraints.txt "$(echo /wheel/*.whl)[openvino]"
# Whoever runs it (--user) may fill the cache of compiled graphs; a volume there keeps it: -v vidstyle-cache:/cache
ENV VIDSTYLE_CACHE=/cache
RUN mkdir -m 1777 /cache
WORKDIR /work
USER 65534:65534
ENTRYPOINT ["vidstyle"]
CMD ["--help"]
