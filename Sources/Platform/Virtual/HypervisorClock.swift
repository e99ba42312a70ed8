import Platform

/// What processor and hypervisor tell about the processor's counter and the time, so that neither has
/// to be measured or asked of a device.
enum HypervisorClock {
    /// Nanoseconds of 2^32 cycles of the counter.
    static var rate: UInt64? { kvmRate() ?? processorRate() }

    /// The counter's frequency by CPUID: SDM volume 2, leaf 0x15, where it is told in full; KVM and
    /// VMware's timing leaf, 0x4000_0010, in kHz.
    private static func processorRate() -> UInt64? {
        let leaf: UInt32 = 0x15
        if processor_leaf(0, 0).eax >= leaf {
            let ratio = processor_leaf(leaf, 0)
            if ratio.eax != 0, ratio.ebx != 0, ratio.ecx != 0 {
                return rate(hertz: UInt64(ratio.ecx) * UInt64(ratio.ebx) / UInt64(ratio.eax))
            }
        }
        let timing: UInt32 = 0x4000_0010
        guard let last = lastHypervisorLeaf, last >= timing else { return nil }
        return rate(hertz: UInt64(processor_leaf(timing, 0).eax) * 1000)
    }

    private static func rate(hertz: UInt64) -> UInt64? {
        let (second, slowest): (UInt64, UInt64) = (1_000_000_000, 1_000_000)
        return hertz < slowest ? nil : (second << 32) / hertz
    }

    /// The last CPUID leaf of the hypervisor's range; nil without a hypervisor (leaf 1, ECX bit 31).
    private static var lastHypervisorLeaf: UInt32? {
        guard processor_leaf(1, 0).ecx >> 31 != 0 else { return nil }
        let last = processor_leaf(0x4000_0000, 0).eax
        return last >= 0x4000_0000 && last < 0x4001_0000 ? last : nil
    }

    // MARK: KVM

    // Linux, Documentation/virt/kvm/x86/msr.rst and cpuid.rst.
    private static var wallClock: UInt32 { 0x4b56_4d00 }
    private static var systemTime: UInt32 { 0x4b56_4d01 }

    private static var hasKVM: Bool {
        let leaf = processor_leaf(0x4000_0000, 0)
        let isKVM = leaf.ebx == 0x4b4d_564b && leaf.ecx == 0x564b_4d56 && leaf.edx == 0x4d
        let clockSource2: UInt32 = 1 << 3
        return lastHypervisorLeaf != nil && isKVM
            && processor_leaf(0x4000_0001, 0).eax & clockSource2 != 0
    }

    /// KVM writes what it reckons the time with as soon as it is told where.
    private static func readSystemTime() -> kvm_system_time? {
        guard hasKVM else { return nil }
        let place = machine_kvm_system_time()
        machine_register_write(systemTime, physical(place) | 1)
        let time = place.pointee
        machine_register_write(systemTime, 0)
        return time.multiplier != 0 && time.version & 1 == 0 ? time : nil
    }

    private static func kvmRate() -> UInt64? {
        guard let time = readSystemTime() else { return nil }
        let rate = scale(UInt64(time.multiplier), time.shift)
        return rate == 0 ? nil : rate
    }

    /// What the counter shows, and nanoseconds since 1970 at that moment.
    static var moment: (cycles: UInt64, time: UInt64)? {
        guard let system = readSystemTime() else { return nil }
        let place = machine_kvm_wall_clock()
        machine_register_write(wallClock, physical(place))
        let wall = place.pointee
        let cycles = cycle_counter()
        guard wall.seconds != 0, cycles >= system.cycles else { return nil }
        let past = scale(cycles - system.cycles, system.shift)
        let (high, low) = past.multipliedFullWidth(by: UInt64(system.multiplier))
        // The wall clock is that of the machine's start.
        let start = UInt64(wall.seconds) &* 1_000_000_000 &+ UInt64(wall.nanoseconds)
        return (cycles, start &+ system.nanoseconds &+ (high << 32 | low >> 32))
    }

    private static func scale(_ value: UInt64, _ shift: Int8) -> UInt64 {
        shift < 0 ? value >> UInt64(-Int64(shift)) : value << UInt64(shift)
    }

    private static func physical<Value>(_ place: UnsafeMutablePointer<Value>) -> UInt64 {
        Physical.address(ofImage: UInt64(UInt(bitPattern: place)))
    }
}
