import Platform

/// A serial port: the 16550 of PCs, by its data sheet's registers.
struct SerialPort {
    let base: UInt16

    /// The first port of PCs; nil on a machine without it.
    static var first: SerialPort? {
        let port = SerialPort(base: 0x3f8)
        // A port that is not there reads as all ones, a status that no device has.
        return port.lineStatus == 0xff ? nil : port
    }

    private var lineStatus: UInt8 { port_read8(base + 5) }

    /// Waits for the transmitter, as long as any speed takes for a byte.
    func write(_ byte: UInt8) {
        let transmitterEmpty: UInt8 = 0x20
        var patience = 1_000_000
        while lineStatus & transmitterEmpty == 0, patience > 0 { patience -= 1 }
        port_write8(base, byte)
    }
}
