import Platform
import Virtio

/// The machine's source of random bytes. They are added to the seed of the launch record, which is the
/// same each time that one boot disk is started; so are the processor's, and the time.
enum EntropySource {
    nonisolated(unsafe) private static var device: EntropyDevice<Transport>? = nil

    static func start(_ transport: Transport) -> Bool {
        guard device == nil else { return false }
        device = try? EntropyDevice(transport, size: seedSize) { MachineMemory.reserveShared($0) }
        return device != nil
    }

    static func takeInterrupt() { device?.acknowledgeInterrupt() }

    private static var seedSize: Int { 32 }
    /// What a start waits for a device that does not answer.
    private static var patience: UInt64 { 100_000_000 }

    static func addToSeed() {
        if Images.hasOwnTerminal { addOfProcessor() }
        guard device != nil else { return }
        device?.ask()
        _ = MachineTime.wait(limit: patience) {
            guard let bytes = (try? device?.take()) ?? nil else { return false }
            addToSeed(bytes)
            return true
        }
    }

    private static func addToSeed(_ bytes: UnsafeRawBufferPointer) {
        withUnsafeMutableBytes(of: &machine_boot_information().pointee.random_seed) { seed in
            for index in 0..<min(bytes.count, seed.count) { seed[index] ^= bytes[index] }
        }
    }

    private static func addOfProcessor() {
        let hasInstruction = processor_leaf(1, 0).ecx >> 30 & 1 != 0
        let time = MachineTime.readClock(PLATFORM_CLOCK_REALTIME.rawValue)
        var words: InlineArray<4, UInt64> = [cycle_counter(), time, 0, 0]
        for index in words.indices where hasInstruction { words[index] ^= processor_random() }
        withUnsafeBytes(of: &words) { addToSeed($0) }
    }
}
