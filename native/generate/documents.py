"""The documents that define the sets."""

from __future__ import annotations

# Set -> revision of the document that its table follows, and the set's title there.
STANDARDS = {
    "ST0601": ("MISB ST 0601.19", "UAS Datalink Local Set"),
    "ST0102": ("MISB ST 0102.12", "Security Metadata Local Set"),
    "ST0102-US": ("MISB ST 0102.12", "Security Metadata Universal Set"),
    "ST0104": ("MISB EG 0104", "Predator UAV Basic Universal Metadata Set"),
    "ST0903": ("MISB ST 0903.6", "VMTI Local Set"),
    "VTarget": ("MISB ST 0903.6", "VTarget Pack"),
    "VTrack": ("MISB ST 0903, older track set", "VTrack Local Set"),
    "VTrackItem": ("MISB ST 0903, older track set", "VTrackItem Pack"),
    "VMask": ("MISB ST 0903.6", "VMask Local Set"),
    "VObject": ("MISB ST 0903.6", "VObject Local Set"),
    "VFeature": ("MISB ST 0903.6", "VFeature Local Set"),
    "VTracker": ("MISB ST 0903.6", "VTracker Local Set"),
    "VChip": ("MISB ST 0903.6", "VChip Local Set"),
    "Algorithm": ("MISB ST 0903.6", "Algorithm Local Set"),
    "Ontology": ("MISB ST 0903.6", "Ontology Local Set"),
    "ST0806": ("MISB ST 0806.4", "Remote Video Terminal Local Set"),
    "RvtPoi": ("MISB ST 0806.4", "Point of Interest Local Set"),
    "RvtAoi": ("MISB ST 0806.4", "Area of Interest Local Set"),
    "RvtUserDefined": ("MISB ST 0806.4", "User Defined Local Set"),
    "ST0808": ("MISB ST 0808", "Ancillary Text Local Set"),
    "ST1002": ("MISB ST 1002.3", "Range Image Local Set"),
    "ST1010": ("MISB ST 1010", "SDCC Floating Length Pack"),
    "ST1107": ("MISB ST 1107", "Metric Geopositioning Local Set"),
    "ST1108": ("MISB ST 1108.3", "Interpretability and Quality Local Set"),
    "ST1108Metric": ("MISB ST 1108.3", "Metric Local Set"),
    "ST1202": ("MISB ST 1202.3", "Generalized Transformation Local Set"),
    "ST1204": ("MISB ST 1204", "MIIS Core Identifier"),
    "ST1206": ("MISB ST 1206.1", "SAR Motion Imagery Local Set"),
    "ST1303": ("MISB ST 1303", "Multi-Dimensional Array Pack"),
    "ST1601": ("MISB ST 1601.2", "Geo-Registration Local Set"),
    "ST1602": ("MISB ST 1602.2", "Composite Imaging Local Set"),
    "ST1902": ("MISB ST 1902", "Motion Imagery Metadata (MIMD) Local Set"),
}
