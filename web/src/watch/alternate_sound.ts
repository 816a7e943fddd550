// The sound of a rendition of its own, as hls.js loads it, with what is wrong with that in hls.js 1.7.4.

import Hls, { type AudioStreamController, type Events, type InitPTSFoundData } from "hls.js";

/** What hls.js takes for sound unless it is told otherwise; the light build has none. */
const Base = Hls.DefaultConfig.audioStreamController as typeof AudioStreamController;

/**
 * Behind a discontinuity, parts of sound that come before the times of the picture are known are kept until then. It is
 * looked every 100 ms whether they are; a part that comes in between is used at once, and after that those kept are
 * neither used nor dropped: no sound is loaded any more, and the picture stands at the end of what there was. So it is
 * looked at once.
 */
export class AlternateSound extends Base {
  override onInitPtsFound(event: Events.INIT_PTS_FOUND, data: InitPTSFoundData): void {
    super.onInitPtsFound(event, data);
    this.tick();
  }
}
