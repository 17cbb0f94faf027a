/* meter.h - a count of the steps of work, for the fuzz targets, which check that it is linear in the bytes: KLV_METER
 * is the type of their counter. Elsewhere it costs nothing. Inside the core only. */
#ifndef METER_H
#define METER_H

#include <stdint.h>

#ifdef KLV_METER
extern KLV_METER klv_meter;
#define METER(steps) (klv_meter += (steps))
#else
#define METER(steps) ((void)(steps))
#endif

#endif
