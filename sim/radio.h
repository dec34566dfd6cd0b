/*
 * radio.h - a simulated radio: stations that share a gateway's channel, with loss, delay,
 * reordering (a delay drawn for each packet), a packet size, a duty cycle, and energy.
 *
 * Deterministic by its seed; time only passes in radio_advance.  A station hears what is sent to it
 * while it listens, or in the window it has opened; energy is power times time: sending and
 * receiving take the packet's airtime, listening takes as long as it takes.
 */
#ifndef MUE_SIM_RADIO_H
#define MUE_SIM_RADIO_H

#include <stdbool.h>
#include <stdint.h>

#define RADIO_STATIONS 17
#define RADIO_PENDING  512
#define RADIO_ALL      0xff
#define RADIO_MTU      222

struct radio_params {
	uint32_t seed;
	uint32_t bitrate;   /* bit/s */
	uint32_t delay_min; /* us behind the airtime */
	uint32_t delay_max;
	uint16_t loss;     /* per mille */
	uint16_t duty;     /* per mille of its time that a station may send; 1000: always */
	uint8_t mtu;       /* bytes in a packet */
	uint8_t overhead;  /* preamble, header and CRC on air, in bytes */
	double tx_w, rx_w; /* watts of a node's radio */
};

struct radio_station {
	uint64_t tx_us, rx_us, listen_us;
	uint64_t free_at; /* us: the duty cycle lets it send again */
	uint64_t bytes, packets;
	bool listening;
};

struct radio_packet {
	uint64_t due;
	uint8_t from, to, len;
	uint8_t data[RADIO_MTU];
};

struct radio {
	struct radio_params p;
	uint64_t now; /* us */
	uint32_t seed;
	struct radio_station station[RADIO_STATIONS];
	struct radio_packet pending[RADIO_PENDING];
	uint32_t count;
};

void radio_init(struct radio *r, const struct radio_params *p);

/* us that a packet of `len` bytes is on air. */
uint64_t radio_airtime(const struct radio *r, uint8_t len);

/* Sends to one station, or to all of 0..nodes-1 with losses and delays of their own.  MUE_EBUSY:
 * the duty cycle forbids it until station.free_at.  MUE_ESIZE: above the MTU. */
int radio_send(struct radio *r, uint8_t from, uint8_t to, uint8_t nodes, const uint8_t *data,
	       uint8_t len);

/* The next packet that has come for `station`: its length, or 0. */
uint8_t radio_receive(struct radio *r, uint8_t station, uint8_t *buf, uint8_t *ret_from);

void radio_advance(struct radio *r, uint64_t us);

/* An empty receive window of that length. */
void radio_window(struct radio *r, uint8_t station, uint64_t us);

double radio_joules(const struct radio *r, uint8_t station);

#endif
