import Platform

/// The processor's local APIC (SDM volume 3, chapter 11): its timer, and ends of interrupts.
enum InterruptController {
    static var timerVector: UInt64 { 0x20 }
    static var linkVector: UInt64 { 0x21 }
    static var spuriousVector: UInt64 { 0x2f }

    // Registers, as offsets into the APIC's page.
    private static var endOfInterrupt: UInt64 { 0xb0 }
    private static var spurious: UInt64 { 0xf0 }
    private static var timer: UInt64 { 0x320 }
    private static var initialCount: UInt64 { 0x380 }
    private static var divide: UInt64 { 0x3e0 }

    private static var base: UInt64 { 0xfee0_0000 &+ UInt64(DIRECT_MAP) }

    private static func write(_ register: UInt64, _ value: UInt32) {
        device_write32(base &+ register, value)
    }

    static func start() {
        // The controllers of the first PCs, where there are any: nothing comes through them.
        let masked: UInt8 = 0xff
        port_write8(0x21, masked)
        port_write8(0xa1, masked)
        let enabled: UInt32 = 0x100
        write(spurious, enabled | UInt32(spuriousVector))
        let byOne: UInt32 = 0xb
        write(divide, byOne)
        write(timer, UInt32(timerVector))
    }

    /// Lets the I/O APIC (82093AA) send a device's interrupt to this processor.
    static func route(_ interrupt: UInt32, to vector: UInt64) {
        let select: UInt64 = 0xfec0_0000 &+ UInt64(DIRECT_MAP)
        let window = select &+ 0x10
        device_write32(select, 0x10 + 2 * interrupt + 1)
        device_write32(window, 0)
        device_write32(select, 0x10 + 2 * interrupt)
        device_write32(window, UInt32(vector))
    }

    static func endInterrupt() { write(endOfInterrupt, 0) }

    /// Asks for one interrupt after so many ticks; zero asks for none.
    static func setTimer(_ ticks: UInt32) { write(initialCount, ticks) }
}
