/*
 * frame_feed.h - the other end of core/frame.h: one release fed to one node, or to many at once.
 *
 * Sans I/O: the caller asks for the next message whenever its link has room, on as many links as it
 * likes, and hands in what nodes say.  One node is fed by its own wishes (WANT), in a window that
 * grows while nothing is lost.  Several nodes are fed by broadcast: everything once, then what any
 * of them still misses, asked from one after the other.  No allocation, no globals.
 */
#ifndef MUE_CORE_FRAME_FEED_H
#define MUE_CORE_FRAME_FEED_H

#include "core/frame.h"

#include <stdbool.h>

#define MUE_FEED_ALL      0xff /* to every node */
#define MUE_FEED_BLOCK    256  /* pieces do not cross its multiples */
#define MUE_FEED_ATTEMPTS 20   /* questions without an answer until a node is left alone */

/* What is known of a node. */
struct mue_feed_node {
	uint8_t phase;   /* enum mue_frame_phase */
	int8_t verdict;  /* of its last report */
	uint8_t silence; /* questions since it last said anything */
	uint8_t reason, running;
	uint32_t sequence;
};

struct mue_feed {
	const uint8_t *part[2]; /* payload, envelope: the caller's, kept */
	uint32_t size[2];
	uint8_t *todo[2]; /* bit a unit of MUE_FRAME_UNIT bytes, the caller's */
	uint32_t left[2]; /* bits set in todo */
	uint32_t cursor[2];
	struct mue_feed_node *nodes; /* the caller's */
	uint8_t count;
	uint8_t turn;   /* the node to be asked next */
	uint8_t asked;  /* the node whose answer is awaited, or MUE_FEED_ALL: none */
	bool announce;  /* due */
	bool opened[2]; /* broadcast: everything was put on the list once */
	uint32_t window, least, sent, high[2];
	struct mue_frame head; /* the announcement */
};

/* Bytes of one todo bitmap for `size` bytes. */
static inline uint32_t mue_feed_todo_size(uint32_t size)
{
	return (size + 8 * MUE_FRAME_UNIT - 1) / (8 * MUE_FRAME_UNIT);
}

/* Begins.  *head is an ANNOUNCE with everything filled in; payload, envelope, the two bitmaps and
 * the nodes are kept.  MUE_EINVAL: sizes of 0 or no node. */
int mue_feed_init(struct mue_feed *f, const struct mue_frame *head, const uint8_t *payload,
		  const uint8_t *envelope, uint8_t *todo_payload, uint8_t *todo_envelope,
		  struct mue_feed_node *nodes, uint8_t count);

/* The next message of at most `room` bytes in buf, for node *ret_to (MUE_FEED_ALL: all).  0: there
 * is nothing to say until a node answers. */
uint8_t mue_feed_next(struct mue_feed *f, uint8_t *buf, uint8_t room, uint8_t *ret_to);

/* A message from `node`.  MUE_ENOTFOUND: of another session (an IDLE report: announces again). */
int mue_feed_take(struct mue_feed *f, uint8_t node, const uint8_t *message, uint8_t len);

/* The answer to the last question is overdue, or a fresh question is wanted: asks again. */
void mue_feed_nudge(struct mue_feed *f);

/* True when no node is on the way any more: each is done, refused, or silent for too long. */
bool mue_feed_over(const struct mue_feed *f);

#endif
