#include "core/crc.h"

uint32_t mue_crc32(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t i;

	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc;
}
