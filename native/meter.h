/* meter.h - for the fuzz targets: what is done, counted by its steps; KLV_METER is the counter's type. Inside the core
 * only. */
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
