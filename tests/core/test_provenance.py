"""What outputs say of themselves: readable by other programs, the same every time."""

import xml.etree.ElementTree as ET

from vidstyle._version import __version__
from vidstyle.core.provenance import STATEMENT, XMP, with_statement


def test_the_packet_is_xml_with_iptcs_term() -> None:
    (about,) = ET.fromstring(XMP.decode()).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    kind = about.attrib["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"]
    assert kind == "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    assert about.attrib["{http://ns.adobe.com/xap/1.0/}CreatorTool"] == f"vidstyle {__version__}"


def test_a_comment_keeps_what_was_said_and_says_ours_once() -> None:
    assert with_statement("") == STATEMENT
    assert with_statement("by A.\nand B.") == f"by A.\nand B.\n{STATEMENT}"
    assert with_statement(with_statement("by A.")) == f"by A.\n{STATEMENT}"
    assert with_statement("vidstyle 0.1.0: an older one") == STATEMENT
    assert len(STATEMENT) < 256  # a GIF's comment
