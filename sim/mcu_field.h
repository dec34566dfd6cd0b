/*
 * mcu_field.h - a gateway and its microcontrollers in the field, in simulated time: service traffic
 * goes on, an update is fed meanwhile.
 *
 * PIGGYBACK: a node sends its reading every period and then opens one receive window, as a LoRaWAN
 * class A device does; the gateway's service data go into that window first, pieces take the bytes
 * that are left; what is missing rides in the spare bytes of the readings.  Never is a packet made
 * so long that the duty cycle would hold back the next service packet.
 * DEDICATED: the nodes listen all the time (class C) until the update is there; pieces are
 * broadcast to all, repairs asked from one after the other.
 */
#ifndef MUE_SIM_MCU_FIELD_H
#define MUE_SIM_MCU_FIELD_H

#include "core/frame_feed.h"
#include "sim/mcu_node.h"
#include "sim/radio.h"

#define FIELD_NODES 16

enum field_mode { FIELD_SERVICE, FIELD_PIGGYBACK, FIELD_DEDICATED };

struct field_release {
	const uint8_t *image, *envelope;
	uint32_t size;
	uint16_t envelope_len;
	uint16_t session, class_tag;
	uint8_t slot;
};

struct field_params {
	enum field_mode mode;
	struct radio_params radio;
	uint8_t nodes;       /* 1..FIELD_NODES */
	uint32_t period;     /* ms between a node's readings */
	uint8_t up, down;    /* bytes of service data in a reading, and in its answer */
	uint8_t down_every;  /* an answer to each n-th reading */
	uint32_t baud;       /* not 0: node 0 hangs on a serial line besides */
	uint16_t serial_bad; /* per mille of serial bytes that arrive bent */
	uint64_t limit;      /* ms after which we give up */
	bool past_end;       /* goes on until `limit` when all is done */
};

struct field_result {
	uint8_t done, refused;
	int8_t verdict;      /* of a refusal */
	uint64_t ms;         /* until the last node was through */
	uint64_t air;        /* bytes the gateway sent by radio, service included */
	uint64_t update_air; /* of them, bytes of messages of the update */
	uint64_t serial;     /* bytes on the serial line to node 0 */
	uint64_t readings, answers, answers_sent; /* service packets that arrived; given to send */
	uint64_t latency; /* us, worst, from a window's opening to the answer's arrival */
	uint64_t late;    /* answers that the duty cycle held back to the next window */
	double joules;    /* radio of all nodes */
};

struct field {
	struct field_params p;
	struct field_release rel;
	struct radio radio;
	struct mcu_node node[FIELD_NODES]; /* set up by the caller: mcu_node_init, _flash */
	struct mue_feed feed[FIELD_NODES];
	struct mue_feed_node seen[FIELD_NODES];
	uint8_t todo[FIELD_NODES][2][1024];
	uint64_t next_reading[FIELD_NODES], opened[FIELD_NODES], asked_at;
	uint32_t count[FIELD_NODES];
	bool pending[FIELD_NODES]; /* an answer waits for its window */
	struct mue_serial line;
	uint64_t serial_free;
	uint32_t seed;
	struct field_result result;
};

/* Runs until every node is through or the limit.  The nodes are booted here. */
void field_run(struct field *f, const struct field_params *p, const struct field_release *rel,
	       struct field_result *ret);

#endif
