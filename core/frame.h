/*
 * frame.h - the messages that bring an update to a small device, the packets that carry them beside
 * service data, and the framing of packets on a serial line.
 *
 * One message set for serial, radio and piggyback: a message fits any packet of 11 bytes and more.
 * Messages name their session by the first two bytes of the manifest's digest; that tells sessions
 * apart, it proves nothing: what is received is believed only after signature and digest.
 * A packet is what a link carries in one go: a bare message, or service data with at most one
 * message in the bytes to spare.  A serial line frames packets by COBS (Cheshire and Baker, 1999)
 * with a CRC-32.  Format: docs/FORMATS.md, section "Link frames".
 */
#ifndef MUE_CORE_FRAME_H
#define MUE_CORE_FRAME_H

#include <stdint.h>

#define MUE_PACKET_MIN 11  /* every link carries packets of this size */
#define MUE_PACKET_MAX 222 /* and none above this one */
#define MUE_FRAME_UNIT 4   /* pieces begin at multiples of it, and end there or at the end */
#define MUE_FRAME_HEAD 6   /* bytes of a piece before its data */

/* First byte of a message.  Up to MUE_PACKET_MAX it is the length of service data instead. */
enum mue_frame_type {
	MUE_FRAME_ANNOUNCE = 0xe0, /* to nodes: there is an update */
	MUE_FRAME_MANIFEST = 0xe1, /* to nodes: bytes of the envelope */
	MUE_FRAME_PIECE = 0xe2,    /* to nodes: bytes of the payload */
	MUE_FRAME_ASK = 0xe3,      /* to nodes: what is missing, how do you do? */
	MUE_FRAME_WANT = 0xe4,     /* from a node: this is missing */
	MUE_FRAME_REPORT = 0xe5    /* from a node: this became of it */
};

#define MUE_FRAME_ANY_SLOT 15 /* announce: linked for every slot */
#define MUE_FRAME_RAW      0  /* announce: the payload is the image itself */

/* Where a node is with a session. */
enum mue_frame_phase {
	MUE_PHASE_IDLE = 0,     /* no session */
	MUE_PHASE_MANIFEST = 1, /* receives the envelope */
	MUE_PHASE_PAYLOAD = 2,  /* envelope accepted, receives the payload */
	MUE_PHASE_CHECK = 3,    /* all there, being checked and written */
	MUE_PHASE_READY = 4,    /* installed; waits until a trial is allowed */
	MUE_PHASE_TRIAL = 5,    /* on trial, or about to reboot into it */
	MUE_PHASE_DONE = 6,     /* confirmed */
	MUE_PHASE_REFUSED = 7   /* see the verdict */
};

/* A message; which members count depends on the type. */
struct mue_frame {
	uint8_t type;        /* enum mue_frame_type */
	uint16_t session;    /* first two bytes of the manifest's digest, big endian */
	uint32_t off;        /* MANIFEST, PIECE, WANT: below 2^24 */
	const uint8_t *data; /* MANIFEST, PIECE: bytes; WANT: bitmap, bit i % 8 of byte i / 8 */
	uint8_t len;         /* of data */

	/* ANNOUNCE: hints, so that a node may say no before it listens; the manifest decides. */
	uint16_t envelope;  /* bytes in the envelope */
	uint32_t size;      /* bytes in the payload, below 2^24 */
	uint16_t class_tag; /* first two bytes of the class id, big endian */
	uint8_t slot;       /* 0..14 that the image is linked for, or MUE_FRAME_ANY_SLOT */
	uint8_t codec;      /* 0..15: MUE_FRAME_RAW */

	/* WANT: bit i: something in [off + i << grain_log2, + 1 << grain_log2) is missing.  Before
	 * `off` everything is there; of what follows the bitmap nothing is said. */
	uint8_t grain_log2;   /* 2..20 */
	uint8_t envelope_bit; /* 1: of the envelope, 0: of the payload */

	/* REPORT */
	uint8_t phase;     /* enum mue_frame_phase */
	int8_t verdict;    /* enum mue_err: why refused, or what the node waits for; 0 */
	uint8_t reason;    /* the boot record: enum mue_boot_reason, */
	uint8_t running;   /* the slot that runs, */
	uint32_t sequence; /* and its image's SUIT sequence number */
};

/* Writes *f as a message.  Returns its length; MUE_ENOSPC: more than `room`; MUE_EINVAL: a member
 * is out of range. */
int mue_frame_write(const struct mue_frame *f, uint8_t *buf, uint8_t room);

/* Reads the message that fills buf[0..len); ret->data points into it.  Members that the type has
 * not are 0.  MUE_EPROFILE: an unknown type.  MUE_EFORMAT, MUE_ETRUNC: not a message. */
int mue_frame_read(const uint8_t *buf, uint8_t len, struct mue_frame *ret);

/* ---- packets ---- */

struct mue_packet {
	const uint8_t *service; /* NULL: none */
	const uint8_t *message; /* NULL: none */
	uint8_t service_len, message_len;
};

/* Bytes for a message in a packet of at most `mtu` bytes with `service_len` bytes of service data
 * (0: a bare message).  0 when there is no room. */
uint8_t mue_packet_room(uint8_t mtu, uint8_t service_len);

/* Splits what a link carried: a bare message, or the length of service data, the data, and perhaps
 * a message.  *ret points into buf.  MUE_EFORMAT: lengths contradict.  (To build one: buf[0] the
 * length, the data from buf[1], mue_frame_write behind them.) */
int mue_packet_split(const uint8_t *buf, uint8_t len, struct mue_packet *ret);

/* ---- a serial line ---- */

#define MUE_SERIAL_MAX (MUE_PACKET_MAX + 4 + 1 + 1) /* CRC, one COBS byte, the closing zero */

/* Frames the packet for a serial line.  `out` has room for len + 6 bytes.  Returns the bytes
 * written, or MUE_EINVAL: len is 0 or above MUE_PACKET_MAX. */
int mue_serial_write(const uint8_t *packet, uint8_t len, uint8_t *out);

struct mue_serial {
	uint8_t fill; /* bytes decoded */
	uint8_t left; /* of the COBS run under way */
	uint8_t bad;  /* passing over the rest of a broken frame */
	uint8_t zero; /* the run ends in a zero */
	uint8_t buf[MUE_PACKET_MAX + 4];
};

/* Starts in the middle of whatever the line says: the first frame counts from the next zero or from
 * here, whichever comes out right. */
void mue_serial_init(struct mue_serial *s);

/* Takes one byte from the line.  Above 0: a packet of that length stands in s->buf until the next
 * call.  0: goes on.  MUE_EFORMAT: a frame was broken and is dropped. */
int mue_serial_take(struct mue_serial *s, uint8_t byte);

#endif
