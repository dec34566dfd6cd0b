#include "core/frame.h"

#include "core/crc.h"
#include "core/err.h"
#include "core/mem.h"

enum { ANNOUNCE = 11, ASK = 3, WANT_HEAD = 7, REPORT = 11 };
#define WANT_ENVELOPE 0x80u
#define WANT_GRAIN    0x1fu
#define GRAIN_MIN     2
#define GRAIN_MAX     20
#define OFF_MAX       0xffffffu

/* CRC-32 over bytes and their own CRC, little endian (ISO 3309). */
#define CRC_RESIDUE 0x2144df1cu

static void put(uint8_t *to, uint32_t v, uint8_t bytes)
{
	while (bytes--) {
		to[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

static uint32_t get(const uint8_t *from, uint8_t bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | *from++;
	return v;
}

static int write_announce(const struct mue_frame *f, uint8_t *buf)
{
	if (f->size > OFF_MAX || f->slot > 15 || f->codec > 15)
		return MUE_EINVAL;
	put(buf + 3, f->envelope, 2);
	put(buf + 5, f->size, 3);
	put(buf + 8, f->class_tag, 2);
	buf[10] = (uint8_t)(f->codec << 4 | f->slot);
	return ANNOUNCE;
}

static int write_report(const struct mue_frame *f, uint8_t *buf)
{
	if (f->phase > MUE_PHASE_REFUSED || f->reason > 15 || f->running > 15)
		return MUE_EINVAL;
	buf[3] = f->phase;
	buf[4] = (uint8_t)f->verdict;
	buf[5] = f->reason;
	buf[6] = f->running;
	put(buf + 7, f->sequence, 4);
	return REPORT;
}

/* MANIFEST, PIECE and WANT: bytes behind a head. */
static int write_bytes(const struct mue_frame *f, uint8_t *buf, uint8_t room)
{
	uint8_t head = f->type == MUE_FRAME_WANT ? WANT_HEAD : MUE_FRAME_HEAD;

	if (f->off > OFF_MAX || (head == MUE_FRAME_HEAD && !f->len))
		return MUE_EINVAL;
	if (head > room || f->len > room - head)
		return MUE_ENOSPC;
	put(buf + 3, f->off, 3);
	if (head == WANT_HEAD) {
		if (f->grain_log2 < GRAIN_MIN || f->grain_log2 > GRAIN_MAX || f->envelope_bit > 1)
			return MUE_EINVAL;
		buf[6] = (uint8_t)(f->grain_log2 | (f->envelope_bit ? WANT_ENVELOPE : 0));
	}
	if (f->len)
		memmove(buf + head, f->data, f->len);
	return head + f->len;
}

static uint8_t least(uint8_t type)
{
	switch (type) {
	case MUE_FRAME_ANNOUNCE:
		return ANNOUNCE;
	case MUE_FRAME_MANIFEST:
	case MUE_FRAME_PIECE:
		return MUE_FRAME_HEAD + 1;
	case MUE_FRAME_ASK:
		return ASK;
	case MUE_FRAME_WANT:
		return WANT_HEAD;
	case MUE_FRAME_REPORT:
		return REPORT;
	default:
		return 0;
	}
}

int mue_frame_write(const struct mue_frame *f, uint8_t *buf, uint8_t room)
{
	uint8_t min = least(f->type);

	if (!min)
		return MUE_EINVAL;
	if (room > MUE_PACKET_MAX)
		room = MUE_PACKET_MAX;
	if (min > room)
		return MUE_ENOSPC;
	buf[0] = f->type;
	put(buf + 1, f->session, 2);
	switch (f->type) {
	case MUE_FRAME_ANNOUNCE:
		return write_announce(f, buf);
	case MUE_FRAME_ASK:
		return ASK;
	case MUE_FRAME_REPORT:
		return write_report(f, buf);
	default:
		return write_bytes(f, buf, room);
	}
}

static int read_want(const uint8_t *buf, uint8_t len, struct mue_frame *f)
{
	f->off = get(buf + 3, 3);
	f->grain_log2 = buf[6] & WANT_GRAIN;
	f->envelope_bit = buf[6] & WANT_ENVELOPE ? 1 : 0;
	f->data = buf + WANT_HEAD;
	f->len = (uint8_t)(len - WANT_HEAD);
	if (buf[6] & (uint8_t) ~(WANT_GRAIN | WANT_ENVELOPE) || f->grain_log2 < GRAIN_MIN ||
	    f->grain_log2 > GRAIN_MAX)
		return MUE_EFORMAT;
	return MUE_OK;
}

static int read_report(const uint8_t *buf, uint8_t len, struct mue_frame *f)
{
	f->phase = buf[3];
	f->verdict = (int8_t)buf[4];
	f->reason = buf[5];
	f->running = buf[6];
	f->sequence = get(buf + 7, 4);
	return len != REPORT || f->phase > MUE_PHASE_REFUSED || f->reason > 15 || f->running > 15
		       ? MUE_EFORMAT
		       : MUE_OK;
}

int mue_frame_read(const uint8_t *buf, uint8_t len, struct mue_frame *ret)
{
	uint8_t min = len ? least(buf[0]) : 1;
	struct mue_frame f;
	int e = MUE_OK;

	if (!min)
		return MUE_EPROFILE;
	if (len < min)
		return MUE_ETRUNC;
	if (len > MUE_PACKET_MAX)
		return MUE_EFORMAT;
	memset(&f, 0, sizeof(f));
	f.type = buf[0];
	f.session = (uint16_t)get(buf + 1, 2);
	switch (f.type) {
	case MUE_FRAME_ANNOUNCE:
		f.envelope = (uint16_t)get(buf + 3, 2);
		f.size = get(buf + 5, 3);
		f.class_tag = (uint16_t)get(buf + 8, 2);
		f.slot = buf[10] & 15;
		f.codec = buf[10] >> 4;
		e = len == ANNOUNCE ? MUE_OK : MUE_EFORMAT;
		break;
	case MUE_FRAME_ASK:
		e = len == ASK ? MUE_OK : MUE_EFORMAT;
		break;
	case MUE_FRAME_WANT:
		e = read_want(buf, len, &f);
		break;
	case MUE_FRAME_REPORT:
		e = read_report(buf, len, &f);
		break;
	default:
		f.off = get(buf + 3, 3);
		f.data = buf + MUE_FRAME_HEAD;
		f.len = (uint8_t)(len - MUE_FRAME_HEAD);
	}
	if (e == MUE_OK)
		*ret = f;
	return e;
}

/* ---- packets ---- */

uint8_t mue_packet_room(uint8_t mtu, uint8_t service_len)
{
	uint8_t head = service_len ? 1 : 0;

	if (mtu > MUE_PACKET_MAX)
		mtu = MUE_PACKET_MAX;
	if (service_len > mtu - head)
		return 0;
	return (uint8_t)(mtu - head - service_len);
}

int mue_packet_split(const uint8_t *buf, uint8_t len, struct mue_packet *ret)
{
	struct mue_packet p;

	memset(&p, 0, sizeof(p));
	if (!len || len > MUE_PACKET_MAX)
		return MUE_EFORMAT;
	if (buf[0] > MUE_PACKET_MAX) {
		p.message = buf;
		p.message_len = len;
	} else {
		if (!buf[0] || buf[0] > len - 1)
			return MUE_EFORMAT;
		p.service = buf + 1;
		p.service_len = buf[0];
		p.message_len = (uint8_t)(len - 1 - buf[0]);
		p.message = p.message_len ? buf + 1 + buf[0] : NULL;
	}
	*ret = p;
	return MUE_OK;
}

/* ---- a serial line ---- */

/* Packets and their CRC are shorter than a COBS run of 254: one run length per zero. */
struct cobs {
	uint8_t *out;
	uint8_t code, at; /* where the run's length goes; the next free byte */
};

static void cobs_byte(struct cobs *c, uint8_t byte)
{
	if (byte) {
		c->out[c->at++] = byte;
		return;
	}
	c->out[c->code] = (uint8_t)(c->at - c->code);
	c->code = c->at++;
}

int mue_serial_write(const uint8_t *packet, uint8_t len, uint8_t *out)
{
	struct cobs c = { out, 0, 1 };
	uint32_t crc;
	uint8_t i;

	if (!len || len > MUE_PACKET_MAX)
		return MUE_EINVAL;
	crc = mue_crc32(0, packet, len);
	for (i = 0; i < len; i++)
		cobs_byte(&c, packet[i]);
	for (i = 0; i < 4; i++, crc >>= 8)
		cobs_byte(&c, (uint8_t)crc);
	out[c.code] = (uint8_t)(c.at - c.code);
	out[c.at++] = 0;
	return c.at;
}

void mue_serial_init(struct mue_serial *s)
{
	s->fill = s->left = s->bad = s->zero = 0;
}

static int end_of_frame(struct mue_serial *s)
{
	uint8_t fill = s->fill, broken = s->bad || s->left;
	uint8_t begun = fill || broken || s->zero;

	mue_serial_init(s);
	if (!begun) /* zeros between frames are silence */
		return 0;
	if (broken || fill < 5 || mue_crc32(0, s->buf, fill) != CRC_RESIDUE)
		return MUE_EFORMAT;
	return fill - 4;
}

static void store(struct mue_serial *s, uint8_t byte)
{
	if (s->fill == sizeof(s->buf))
		s->bad = 1;
	else
		s->buf[s->fill++] = byte;
}

int mue_serial_take(struct mue_serial *s, uint8_t byte)
{
	if (!byte)
		return end_of_frame(s);
	if (s->bad)
		return 0;
	if (s->left) {
		s->left--;
		store(s, byte);
		return 0;
	}
	/* The next run; the zero that the last one stood for is only now known to be data. */
	if (s->zero)
		store(s, 0);
	s->left = (uint8_t)(byte - 1);
	s->zero = byte != 255;
	return 0;
}
