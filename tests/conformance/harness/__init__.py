"""What the conformance scripts share: programs, bytes on the wire, tables of cases."""
