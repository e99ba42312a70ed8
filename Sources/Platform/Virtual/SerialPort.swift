import Platform

/// A serial port: the 16550 of PCs, by its data sheet's registers.
struct SerialPort {
    let base: UInt16

    /// The first port of PCs; nil on a machine without it.
    static var first: SerialPort? {
        let port = SerialPort(base: 0x3f8)
        // A port that is not there reads as all ones, a status that no device has.
        return port.status.rawValue == 0xff ? nil : port
    }

    /// The I/O APIC's number of the first port's interrupt.
    static var interrupt: UInt32 { 4 }

    /// Bytes that it takes at once when it has sent all.
    static var queueSize: Int { 16 }

    // Registers, as offsets.
    private static var data: UInt16 { 0 }
    private static var interruptEnable: UInt16 { 1 }
    private static var interruptIdentification: UInt16 { 2 }
    private static var queueControl: UInt16 { 2 }
    private static var lineControl: UInt16 { 3 }
    private static var modemControl: UInt16 { 4 }
    private static var lineStatus: UInt16 { 5 }
    private static var modemStatus: UInt16 { 6 }

    private func load(_ register: UInt16) -> UInt8 { port_read8(base + register) }
    private func store(_ register: UInt16, _ value: UInt8) { port_write8(base + register, value) }

    /// The line status register.
    struct Status: OptionSet {
        let rawValue: UInt8

        static var hasReceived: Status { Status(rawValue: 0x01) }
        static var isBroken: Status { Status(rawValue: 0x10) }
        static var isReadyToSend: Status { Status(rawValue: 0x20) }
        static var hasSentAll: Status { Status(rawValue: 0x40) }
    }

    var status: Status { Status(rawValue: load(Self.lineStatus)) }

    /// Waits for the transmitter, as long as any speed takes for a byte.
    func write(_ byte: UInt8) {
        var patience = 1_000_000
        while !status.contains(.isReadyToSend), patience > 0 { patience -= 1 }
        send(byte)
    }

    func send(_ byte: UInt8) { store(Self.data, byte) }
    func receive() -> UInt8 { load(Self.data) }

    // MARK: As a terminal's line

    private static var eightBits: UInt8 { 0x03 }

    /// Eight bits, no parity, with its queues empty, and no interrupt yet.
    func start() {
        store(Self.interruptEnable, 0)
        setSpeed(115_200)
        let (queues, cleared, threshold): (UInt8, UInt8, UInt8) = (0x01, 0x06, 0x80)
        store(Self.queueControl, queues | cleared | threshold)
        setReadyToReceive(true)
        _ = takeCause()
        _ = isClearToSend
    }

    /// Bits a second; what it cannot do is left as it was.
    func setSpeed(_ speed: UInt32) {
        let fastest: UInt32 = 115_200
        guard speed > 0, speed <= fastest else { return }
        let divisor = UInt16(truncatingIfNeeded: fastest / speed)
        let divisorAccess: UInt8 = 0x80
        store(Self.lineControl, divisorAccess | Self.eightBits)
        store(Self.data, UInt8(truncatingIfNeeded: divisor))
        store(Self.interruptEnable, UInt8(divisor >> 8))
        store(Self.lineControl, Self.eightBits)
    }

    /// Interrupts for what is received, and for room to send; always for changes of the line.
    func setInterrupts(receiving: Bool, sending: Bool) {
        let changes: UInt8 = 0x0c
        store(Self.interruptEnable, changes | (receiving ? 1 : 0) | (sending ? 2 : 0))
    }

    /// RTS: whether the other side may send. DTR and the interrupt line of PCs stay on.
    func setReadyToReceive(_ isReady: Bool) {
        store(Self.modemControl, 0x09 | (isReady ? 0x02 : 0))
    }

    /// CTS. Reading it also ends the interrupt of its change.
    var isClearToSend: Bool { load(Self.modemStatus) & 0x10 != 0 }

    func setBreak(_ isOn: Bool) { store(Self.lineControl, Self.eightBits | (isOn ? 0x40 : 0)) }

    /// Whether an interrupt has a cause; the one of room to send ends by being read.
    func takeCause() -> Bool { load(Self.interruptIdentification) & 1 == 0 }
}
