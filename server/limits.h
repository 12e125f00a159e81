/* Every limit of the daemon, in one place. GET /v1/capabilities reports them. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#define LIMIT_MIB ((size_t)1 << 20)

/* Defaults of --max-body and --max-work. */
#define LIMIT_BODY (64 * LIMIT_MIB)
#define LIMIT_WORK 1e12

/* What one request may take in its arena, and what all the bodies in flight may take together (in multiples of
 * --max-body; those up to LIMIT_LIGHT_BODY come on top). */
#define LIMIT_MEMORY (2048 * LIMIT_MIB)

/* The least --max-memory with which a lab can be checked, a dozen at a time. */
#define LIMIT_MEMORY_LEAST (64 * LIMIT_MIB)
#define LIMIT_BODIES_IN_FLIGHT 8

/* What requests that are done may hold until their clients have taken their answers; and the numbers that the answer of
 * one training may have. */
#define LIMIT_ANSWERS (1024 * LIMIT_MIB)
#define LIMIT_ANSWER_NUMBERS 4e6

/* Brackets within brackets, anywhere in a JSON body. */
#define LIMIT_DEPTH 64

/* Parts of a multipart body or fields of a form, bytes of the headers of one, and entries of an archive. */
#define LIMIT_PARTS 4096
#define LIMIT_PART_HEADERS 8192
#define LIMIT_ENTRIES 16384

/* Bytes of a body that are read between two looks at whether anybody still waits for the answer. */
#define LIMIT_LOOK ((size_t)64 << 10)

/* Layers of a network, and the length of the names in a request that reports repeat. */
#define LIMIT_LAYERS 1000
#define LIMIT_INPUTS 64 /* of a layer */
#define LIMIT_FEEDS 64  /* members of data that layers take, besides x */
#define LIMIT_NAME 200

/* Arguments in the query of a request's target. */
#define LIMIT_ARGUMENTS 100

/* Points along each side of a boundary. */
#define LIMIT_RESOLUTION 500

/* A request stays on the thread that serves its connection up to these; beyond, it goes to the workers. */
#define LIMIT_LIGHT_BODY ((size_t)64 << 10)
#define LIMIT_LIGHT_WORK 2e6

/* Seconds that the search for mistakes may compute on such a thread; what needs longer is left to a worker. */
#define LIMIT_LIGHT_DIAGNOSIS 0.004

/* Stack of a thread that computes, whatever `ulimit -s` says: the search for mistakes takes one to two kilobytes for
 * each layer that it goes down, and several times as many under the sanitizers. */
#define LIMIT_STACK (8 * LIMIT_MIB)

/* One of the workers, where there are two or more, takes nothing beyond this. */
#define LIMIT_LONG_WORK 1e10

/* Recorded epochs of a training whose path is drawn in a landscape: principal components take their third power. */
#define LIMIT_PATH_POINTS 200

/* Operations of one matrix's decomposition, which cannot be cancelled once it has begun. */
#define LIMIT_SVD_WORK 4e10

/* Requests waiting for a worker; more are answered 503. */
#define LIMIT_QUEUE 256

/* Bytes of a streamed answer that may wait for its client to take them. */
#define LIMIT_STREAM ((size_t)256 << 10)

/* Bytes of one event of a training's progress. */
#define LIMIT_EVENT ((size_t)16 << 10)

/* Seconds between two events of a training's progress. */
#define LIMIT_EVENT_SECONDS 0.05

/* Open connections; more wait in the listen queue. */
#define LIMIT_CONNECTIONS 1024

/* What may lie in the static directory. */
#define LIMIT_STATIC_BYTES (32 * LIMIT_MIB)
#define LIMIT_STATIC_FILES 1000

/* Seconds: for the request line and headers (and between two requests), for the body, for the work of a request, for
 * taking the answer, for the drain; and how long a client may stop in the middle where others wait for its place. */
#define LIMIT_HEADER_SECONDS 30
#define LIMIT_BODY_SECONDS 120
#define LIMIT_WORK_SECONDS 60
#define LIMIT_ANSWER_SECONDS 120
#define LIMIT_DRAIN_SECONDS 10
#define LIMIT_CROWDED_SECONDS 1

#endif
