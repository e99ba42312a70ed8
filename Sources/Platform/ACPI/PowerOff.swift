/// How a machine is turned off, as its firmware's tables say: ACPI 6.5, sections 4.8.3.2 and 4.8.3.7.
/// Tables are input like any other: what is not as it should be is passed over.
public struct PowerOff: Equatable {
    /// A register of the hardware.
    public struct Register: Equatable {
        public let isPort: Bool
        public let address: UInt64

        public init(isPort: Bool, address: UInt64) {
            self.isPort = isPort
            self.address = address
        }
    }

    public enum Way: Equatable {
        /// PM1a_CNT and PM1b_CNT, 16 bits each: the values to write.
        case control(Register, UInt16, Register?, UInt16)
        /// SLEEP_CONTROL_REG, 8 bits, of machines without the other two.
        case sleepControl(Register, UInt8)
    }

    public let way: Way
    /// The port by which firmware hands the registers over, and what to write there.
    public let handOver: (port: UInt16, value: UInt8)?

    public static func == (left: PowerOff, right: PowerOff) -> Bool {
        left.way == right.way && left.handOver?.port == right.handOver?.port
            && left.handOver?.value == right.handOver?.value
    }

    /// - Parameter tables: what `SystemTables` found.
    public init?<Memory: PhysicalMemory>(_ tables: SystemTables<Memory>) {
        guard let fixed = tables.table("FACP"), fixed.count >= 116,
            let types = SleepTypes(tables.differentiated(fixed))
        else { return nil }
        let isReduced: UInt32 = 1 << 20
        if fixed.load(112) & isReduced != 0 {
            guard let register = fixed.register(244) else { return nil }
            let enable: UInt8 = 1 << 5
            way = .sleepControl(register, (types.first & 7) << 2 | enable)
            handOver = nil
            return
        }
        guard let first = fixed.register(172) ?? fixed.port(64) else { return nil }
        let enable: UInt16 = 1 << 13
        way = .control(
            first,
            UInt16(types.first & 7) << 10 | enable,
            fixed.register(184) ?? fixed.port(68),
            UInt16(types.second & 7) << 10 | enable
        )
        let (port, value) = (fixed.load(48), fixed.bytes[52])
        handOver = port == 0 || port > 0xffff || value == 0 ? nil : (UInt16(port), value)
    }
}

/// What `\_S5` names (sections 7.4.2 and 16.1.7): the sleep types of being off. It is looked for in the
/// table's bytes, which is no interpreter of them, but finds what compilers write.
struct SleepTypes {
    let first, second: UInt8

    init?(_ table: Table?) {
        guard let table else { return nil }
        var place = Table.headerSize
        while place + 4 <= table.count {
            if table.has("_S5_", at: place), let types = SleepTypes(table, at: place + 4) {
                self = types
                return
            }
            place += 1
        }
        return nil
    }

    /// A package of at least two integers (20.2.4 and 20.2.5.4).
    private init?(_ table: Table, at place: Int) {
        let (package, byte): (UInt8, UInt8) = (0x12, 0x0a)
        guard table[place] == package, let length = table[place + 1] else { return nil }
        // The two upper bits say how many bytes of the length follow.
        var place = place + 2 + Int(length >> 6)
        guard let count = table[place], count >= 2 else { return nil }
        place += 1
        func integer() -> UInt8? {
            guard let first = table[place] else { return nil }
            place += 1
            if first == 0 || first == 1 { return first }
            guard first == byte else { return nil }
            place += 1
            return table[place - 1]
        }
        guard let first = integer(), let second = integer() else { return nil }
        (self.first, self.second) = (first, second)
    }
}
